/// What programs of the host's execute, or do as it says, without being asked: a hook, a task of an editor, a build.
///
/// A list can never be whole. It names what is usual, so that nobody applies it unseen.
enum HostRunnable {
    private static let names: [String: String] = [
        ".envrc": "direnv", ".bashrc": "a shell", ".profile": "a shell", ".bash_profile": "a shell",
        ".zshrc": "a shell",
        ".gitmodules": "git", ".gitattributes": "git", ".gitconfig": "git", ".pre-commit-config.yaml": "pre-commit",
        "makefile": "make", "gnumakefile": "make", "justfile": "just", "taskfile.yml": "task", "rakefile": "rake",
        "gemfile": "bundler", "package.json": "npm", ".npmrc": "npm", ".yarnrc": "yarn", ".yarnrc.yml": "yarn",
        ".pnpmfile.cjs": "pnpm", "setup.py": "pip", "setup.cfg": "pip", "pyproject.toml": "pip",
        "conftest.py": "pytest",
        "tox.ini": "tox", "noxfile.py": "nox", "sitecustomize.py": "python", "build.rs": "cargo", "cargo.toml": "cargo",
        "cmakelists.txt": "cmake", "configure": "a build", "build.gradle": "gradle", "build.gradle.kts": "gradle",
        "settings.gradle": "gradle", "gradlew": "gradle", "pom.xml": "maven", "mvnw": "maven", "package.swift": "swift",
        "dockerfile": "a container's build", "docker-compose.yml": "docker compose", "compose.yaml": "docker compose",
        "vagrantfile": "vagrant", "jenkinsfile": "continuous integration", ".gitlab-ci.yml": "continuous integration",
        ".travis.yml": "continuous integration", "flake.nix": "nix", "shell.nix": "nix", "default.nix": "nix",
        ".vimrc": "vim", ".exrc": "vim", ".nvimrc": "vim", ".lldbinit": "a debugger", ".gdbinit": "a debugger",
        ".tool-versions": "asdf", "mise.toml": "mise", "agents.md": "an agent", "claude.md": "an agent",
        ".cursorrules": "an agent", ".mcp.json": "an agent",
    ]

    private static let directories: [String: String] = [
        ".husky": "git", ".githooks": "git", ".github": "continuous integration", ".circleci": "continuous integration",
        ".vscode": "an editor", ".idea": "an editor", ".devcontainer": "an editor", ".zed": "an editor",
        ".cargo": "cargo", ".mvn": "maven", ".yarn": "yarn", ".config": "other programs", ".claude": "an agent",
        ".cursor": "an agent", ".ssh": "ssh", "node_modules": "node", ".venv": "python", "venv": "python",
    ]

    /// Of git's own directory nearly everything is data.
    private static let git: Set<String> = ["hooks", "config", "config.worktree", "info", "modules", "worktrees"]

    /// nil: nothing is known that does.
    static func reason(_ path: FilePath, _ side: Change.Side?) -> String? {
        let names = path.names.map { String(decoding: $0, as: UTF8.self).lowercased() }
        guard let last = names.last else { return nil }
        if let place = names.firstIndex(of: ".git") {
            let isLast = place == names.count - 1
            // A file of that name says where the repository is, and so which hooks are its own.
            if isLast { return side?.kind == .directory ? nil : "git reads it" }
            if git.contains(names[place + 1]) { return "git executes what it says" }
        }
        // A bare repository, or one by another name, is one to git all the same.
        if last == "hooks" || names.dropLast().last == "hooks" { return "git executes it" }
        for directory in names { if let reader = directories[directory] { return "\(reader) does as it says" } }
        guard side?.kind != .directory else { return nil }
        if let reader = Self.names[last] { return "\(reader) does as it says" }
        if last.hasSuffix(".mk") || last.hasSuffix(".sln") || last.hasSuffix(".csproj") {
            return "a build does as it says"
        }
        if let side, side.kind == .file, side.permissions & 0o111 != 0 { return "it can be executed" }
        return nil
    }
}
