internal import CLinux

/// Bytes that nobody else should see, in and out, without a copy on the way.
extension System {
    /// One read(2), of as much as there is room for from `offset` on; 0 at the end of the file.
    package static func read(
        _ descriptor: Descriptor, into secret: inout SecretBytes, at offset: Int
    ) throws(SystemError) -> Int {
        guard (0...secret.count).contains(offset) else { throw SystemError(.read, .invalid) }
        let result = unsafe secret.withMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return 0 }
            return unsafe cl_read(descriptor.number, start + offset, buffer.count - offset)
        }
        return try check(.read, result)
    }

    /// Everything up to the end; more than `limit` bytes is an error (EFBIG).
    package static func readSecret(_ descriptor: Descriptor, limit: Int) throws(SystemError) -> SecretBytes {
        var buffer = try SecretBytes(count: limit + 1)
        var filled = 0
        while filled < buffer.count {
            let count = try read(descriptor, into: &buffer, at: filled)
            if count == 0 { return try buffer.part(0..<filled) }
            filled += count
        }
        throw SystemError(.read, .tooLarge)
    }

    /// Writes everything, in as many write(2) calls as it takes.
    package static func writeAll(_ descriptor: Descriptor, _ secret: borrowing SecretBytes) throws(SystemError) {
        var offset = 0
        while offset < secret.count {
            let result = unsafe secret.withBytes { buffer in
                guard let start = buffer.baseAddress else { return 0 }
                return unsafe cl_write(descriptor.number, start + offset, buffer.count - offset)
            }
            offset += try check(.write, result)
        }
    }

    /// One message, without descriptors.
    package static func send(_ socket: Descriptor, _ message: borrowing SecretBytes) throws(SystemError) {
        let result = unsafe message.withBytes { bytes in
            unsafe cl_send_message(socket.number, bytes.baseAddress, bytes.count, nil, 0)
        }
        guard try check(.sendmsg, result) == message.count else { throw SystemError(.sendmsg, .inputOutput) }
    }

    /// The value of a variable of the caller's environment, where zeroes stand from here on: it is read once. nil: there is no
    /// such variable.
    package static func takeEnvironmentSecret(_ name: String, limit: Int) throws(SystemError) -> KeptSecret? {
        guard let value = unsafe cl_getenv(name) else { return nil }
        var count = 0
        while unsafe value[count] != 0 { count += 1 }
        guard count <= limit else { throw SystemError(.check, .tooLarge) }
        var secret = try SecretBytes(count: count)
        let source = unsafe UnsafeRawBufferPointer(start: value, count: count)
        unsafe secret.withMutableBytes { unsafe $0.copyMemory(from: source) }
        unsafe cl_wipe_environment(name)
        return KeptSecret(secret)
    }

    /// A key of the user's keyring, see keyrings(7): of the type `user`, and of exactly so many bytes.
    package static func keyringSecret(_ name: String, count: Int) throws(SystemError) -> SecretBytes {
        let key = try check(.keyctl, unsafe cl_keyring_find(name))
        var secret = try SecretBytes(count: count)
        let length = unsafe secret.withMutableBytes { unsafe cl_keyring_read(key, $0.baseAddress, $0.count) }
        guard try check(.keyctl, length) == count else { throw SystemError(.check, .invalid) }
        return secret
    }
}
