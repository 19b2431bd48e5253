package import JailPolicy

extension PublishedPort {
    /// `127.0.0.1:18789`
    package var hostText: String {
        let bytes = [24, 16, 8, 0].map { String(hostAddress >> $0 & 0xFF) }
        return bytes.joined(separator: ".") + ":\(hostPort)"
    }
}
