import JailCore
import Testing

/// Each has an initializer of its own for array literals: a bit that it lost would be a protection that is not there.
struct `Flags` {
    @Test func `a literal has the bits of all its elements`() {
        #expect(MountAttributes([.readOnly, .noSetuid, .noDevices, .noExec]).rawValue == 0xF)
        #expect(OpenFlags([.writeOnly, .create, .exclusive]).rawValue == 0o301)
        #expect(ResolveFlags([.inRoot, .noSymlinks, .noMagicLinks]).rawValue == 0x16)
        #expect(NamespaceFlags([.user, .pid]).rawValue == 0x3000_0000)
    }

    @Test func `an empty literal has none, and a repeated element counts once`() {
        #expect(MountAttributes([]).rawValue == 0)
        #expect(OpenFlags([]).rawValue == 0)
        #expect(ResolveFlags([]).rawValue == 0)
        #expect(NamespaceFlags([]).rawValue == 0)
        #expect(MountAttributes([.noExec, .noExec]) == .noExec)
    }

    @Test func `the numbers are the kernel's`() {
        #expect(MountAttributes.readOnly.rawValue == 1 && MountAttributes.noSetuid.rawValue == 2)
        #expect(MountAttributes.noDevices.rawValue == 4 && MountAttributes.noExec.rawValue == 8)
        #expect(NamespaceFlags.time.rawValue == 0x80 && NamespaceFlags.mount.rawValue == 0x20000)
        #expect(NamespaceFlags.cgroup.rawValue == 0x200_0000 && NamespaceFlags.uts.rawValue == 0x400_0000)
        #expect(NamespaceFlags.ipc.rawValue == 0x800_0000 && NamespaceFlags.network.rawValue == 0x4000_0000)
        #expect(ResolveFlags.noMountCrossing.rawValue == 1 && ResolveFlags.beneath.rawValue == 8)
    }
}
