package import JailCore

/// The list of tokens on the disk: this user's alone, and replaced as a whole.
package enum TokenFile {
    /// Empty if there is none.
    ///
    /// - Throws: it is not a file that only this user can have written, or no list: then nobody has a token.
    package static func read(_ path: String) throws(JailError) -> TokenList {
        guard let bytes = try TrustedFile.read(path, limit: TokenList.sizeLimit, isSecret: true) else {
            return TokenList()
        }
        guard let list = TokenList(bytes) else {
            throw JailError(
                .runtime, path: path, reason: "it is no list of tokens",
                hint: "remove it, and make the tokens that are needed again")
        }
        return list
    }

    /// Changes the list. Two who do it at the same time wait for each other; who reads meanwhile sees the one or the other.
    ///
    /// - Returns: what the change has returned.
    package static func change<Result>(
        _ directory: String, _ name: String, _ body: (inout TokenList) throws(JailError) -> Result
    ) throws(JailError) -> Result {
        let path = "\(directory)/\(name)"
        let lock = try attempt(.runtime, path) { () throws(SystemError) in
            try PrivateDirectory.make(directory)
            let lock = SharedDescriptor(
                try System.open("\(path).lock", [.readWrite, .create, .noFollow, .noControllingTerminal], mode: 0o600))
            try System.lock(lock.borrowed, .exclusive)
            return lock
        }
        return try withExtendedLifetime(lock) { () throws(JailError) in
            var list = try read(path)
            let result = try body(&list)
            try attempt(.runtime, path) { () throws(SystemError) in try replace(list, directory, name) }
            return result
        }
    }

    private static func replace(_ list: TokenList, _ directory: String, _ name: String) throws(SystemError) {
        let directory = try System.open(directory, [.readOnly, .directory, .noFollow])
        let file = try System.open(
            "\(name).new", [.writeOnly, .create, .truncate, .noFollow], mode: 0o600, at: directory.borrowed)
        try System.writeAll(file.borrowed, String(decoding: list.bytes, as: UTF8.self))
        try System.synchronize(file.borrowed)
        try System.rename("\(name).new", to: name, at: directory.borrowed)
        try System.synchronize(directory.borrowed)
    }
}
