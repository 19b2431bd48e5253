package import JailCore
internal import JailPolicy

extension LaunchPlan {
    /// The stable form, see ``formatVersion``.
    package var json: JSON {
        [
            "version": .number(Self.formatVersion),
            "name": .string(name),
            "gateway": .optional(gateway),
            "profile": ["name": .string(profile), "files": .strings(profileFiles)],
            "command": [
                "path": .string(command.path), "root": .string(command.root),
                "interpreters": .strings(command.interpreters), "arguments": .strings(command.arguments),
                "environment": .strings(command.environment),
                "workingDirectory": .string(command.workingDirectory), "terminal": .boolean(command.terminal),
                "umask": .number(command.fileModeMask),
            ],
            "identity": identity.json,
            "namespaces": [
                "time": .boolean(namespaces.time), "hostName": .string(namespaces.hostName),
                "flags": .number(namespaces.all.rawValue),
            ],
            "limits": limits.json,
            "mounts": .array(mounts.map(\.json)),
            "landlock": landlock?.json ?? .null,
            "appArmor": appArmor?.json ?? .null,
            "seccomp": ["variant": .string(seccomp.variant.rawValue), "additional": .strings(seccomp.additional)],
            "selfTest": .boolean(selfTest),
            "network": [
                "egress": network.egress?.json ?? .null,
                "publish": .array(
                    network.publish.map {
                        ["host": .string($0.hostText), "jailPort": .number($0.jailPort), "token": .optional($0.token)]
                    }),
            ],
            "data": data?.json ?? .null,
            "review": review?.json ?? .null,
            "sessions": sessions?.json ?? .null,
            "health": health?.json ?? .null,
            "restart": restart?.json ?? .null,
            "audit": audit.json,
            "alerts": alerts?.json ?? .null,
            "canaries": .array(canaries.map(\.json)),
            "approvals": approvals?.json ?? .null,
            "commands": commands?.json ?? .null,
            "leftOut": .array(
                leftOut.map { ["protection": .string($0.protection.rawValue), "reason": .string($0.reason)] }),
            "notes": .strings(notes),
            "stopGraceMilliseconds": .number(stopGrace),
        ]
    }
}

extension AuditPlan {
    fileprivate var json: JSON {
        [
            "directory": .string(directory), "headFile": .optional(headFile),
            "keepMilliseconds": .number(rules.keep), "checkpointMilliseconds": .number(rules.checkpoint),
            "sync": .string(rules.sync.rawValue), "onFull": .string(rules.onFull.rawValue),
            "fileSize": .number(rules.fileSize), "redact": .strings(rules.redact),
            "journal": .boolean(rules.journal), "anchors": .array(anchors.map(\.json)),
        ]
    }
}

extension IdentityPlan {
    fileprivate var json: JSON {
        [
            "inside": [
                "user": .string(inside.user), "uid": .number(inside.uid), "gid": .number(inside.gid),
                "home": .string(inside.home),
            ],
            "host": ["user": .string(host.name), "uid": .number(host.uid), "gid": .number(host.gid)],
            "startedByRoot": .boolean(startedByRoot),
            "groups": .string(groups.word),
        ]
    }
}

extension GroupDrop {
    fileprivate var word: String {
        switch self {
        case .notNeeded: "none"
        case .byRoot: "droppedByRoot"
        case .byHelper: "droppedByHelper"
        case .impossible: "kept"
        }
    }
}

extension LimitPlan {
    fileprivate var json: JSON {
        [
            "resources": .object(resources.map { ("\($0.resource)", .number($0.value)) }),
            "cgroup": cgroup?.json ?? .null,
        ]
    }
}

extension CgroupPlan {
    fileprivate var json: JSON {
        let directories: JSON =
            switch place {
            case .v2(let parent): .object([("unified", .string("\(parent)/\(name)"))])
            case .scope(let scope):
                .object([
                    ("scope", .string("\(scope.prefix)-PID.scope/\(name)")),
                    ("manager", .string(scope.manager.rawValue)),
                ])
            case .v1(let parents):
                .object(
                    Controller.allCases.compactMap { controller in
                        parents[controller].map { (controller.rawValue, .string("\($0)/\(name)")) }
                    })
            }
        return [
            "directories": directories, "memory": memory.map { .number($0) } ?? .null, "swap": .number(swap),
            "processes": processes.map { .number($0) } ?? .null, "milliCPUs": milliCPUs.map { .number($0) } ?? .null,
        ]
    }
}

extension MountStep {
    fileprivate var json: JSON {
        switch self {
        case .directory(let path, let mode):
            ["step": "directory", "path": .string(path), "mode": .string(String(mode, radix: 8))]
        case .file(let path, let content, _):
            ["step": "file", "path": .string(path), "content": .string(content)]
        case .script(let path, let content):
            ["step": "script", "path": .string(path), "content": .string(content)]
        case .trust(let path, let file, let covers):
            [
                "step": "trust", "path": .string(path), "content": .string(file.rawValue), "covers": .boolean(covers),
            ]
        case .symlink(let path, let target): ["step": "symlink", "path": .string(path), "target": .string(target)]
        case .bind(let bind):
            [
                "step": "bind", "path": .string(bind.target), "source": .string(bind.source),
                "purpose": .string(bind.purpose.rawValue), "attributes": .string(bind.attributes.words),
            ]
        case .overlay(let overlay):
            [
                "step": "overlay", "path": .string(overlay.target), "source": .string(overlay.source),
                "layer": .string(overlay.layer), "attributes": .string(overlay.attributes.words),
            ]
        case .tmpfs(let tmpfs):
            [
                "step": "tmpfs", "path": .string(tmpfs.target), "size": .number(tmpfs.size),
                "inodes": .number(tmpfs.inodes), "attributes": .string(tmpfs.attributes.words),
            ]
        case .proc(let path): ["step": "proc", "path": .string(path)]
        case .devpts(let path): ["step": "devpts", "path": .string(path)]
        case .pin(let path): ["step": "pin", "path": .string(path)]
        case .cover(let path, _): ["step": "cover", "path": .string(path)]
        case .socket(let path): ["step": "socket", "path": .string(path)]
        case .canary(let path, let index):
            ["step": "canary", "path": .string(path), "canary": .number(index)]
        }
    }
}

extension EgressPlan {
    fileprivate var json: JSON {
        [
            "program": .string(program),
            "user": ["uid": .number(identity.host.uid), "gid": .number(identity.host.gid)],
            "ports": .array(ports.map { .number($0) }), "proxyPort": .number(proxyPort),
            "trust": .optional(trust), "javaTrustStore": .boolean(wantsJavaTrustStore),
            "onExit": .string(onExit.rawValue),
            "landlock": landlockABI.map { EgressPlan.landlock(abi: $0).json } ?? .null,
            "resources": .object(resources.map { ("\($0.resource)", .number($0.value)) }), "rules": rules.json,
            "spend": spend.map { ["rules": $0.rules.json, "prices": $0.prices.json, "ledger": .string($0.ledger)] }
                ?? .null,
            "secrets": secrets.isEmpty ? .null : secrets.withoutValues.json,
            "asksMilliseconds": asks.map { .number($0) } ?? .null,
            "group": .optional(group), "mostSharing": group == nil ? .null : .number(Self.mostSharing),
        ]
    }
}

extension LandlockPlan {
    fileprivate var json: JSON {
        [
            "abi": .number(abi),
            "rules": .array(rules.map { ["path": .string($0.path), "access": .string($0.access.rawValue)] }),
            "bindPorts": bindPorts.map { .array($0.map { .number($0) }) } ?? .null, "scoped": .boolean(scoped),
        ]
    }
}

extension AppArmorPlan {
    fileprivate var json: JSON {
        ["profile": .string(profile), "confinement": .optional(confinement)]
    }
}

extension DataPlan {
    fileprivate var json: JSON {
        [
            "source": .string(source), "target": .string(target), "size": .number(size),
            "enforcement": enforcement == .watched ? "watched" : "image",
        ]
    }
}

extension ReviewPlan {
    fileprivate var json: JSON {
        [
            "source": .string(source), "target": .string(target), "directory": .string(directory),
            "size": .number(size),
        ]
    }
}

extension SessionsPlan {
    fileprivate var json: JSON {
        [
            "profile": ["name": .string(profile.name), "files": .strings(profile.files)],
            "workspaces": .array(
                roots.map { root in
                    [
                        "path": .string(root.path), "source": .string(root.hostPath),
                        "readOnly": .boolean(root.readOnly),
                    ]
                }),
            "most": .number(most), "secrets": .strings(secrets), "program": .string(program),
            "socket": .string(Self.socket),
        ]
    }
}
