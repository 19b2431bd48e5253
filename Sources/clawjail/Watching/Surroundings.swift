internal import Glibc
import JailCore
import JailView

/// What the terminal and its user want to see.
enum Surroundings {
    /// See https://no-color.org.
    static var wantsColours: Bool {
        (System.environmentValue("NO_COLOR") ?? "").isEmpty && !isDumb
    }

    /// It moves no cursor.
    static var isDumb: Bool { (System.environmentValue("TERM") ?? "dumb") == "dumb" }

    /// By the locale's character set, as setlocale(3) finds it.
    static var glyphs: Glyphs {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"]
        let locale = names.lazy.compactMap { System.environmentValue($0) }.first { !$0.isEmpty } ?? ""
        let name = locale.lowercased()
        return name.hasSuffix("utf-8") || name.hasSuffix("utf8") ? .drawn : .plain
    }

    static func isTerminal(_ descriptor: Descriptor) -> Bool { (try? System.isTerminal(descriptor)) == true }

    /// Seconds that the place is ahead of UTC at a time, in seconds since the epoch.
    static func clockOffset(_ time: Int64) -> Int64 {
        var time = Int(time)
        var parts = unsafe tm()
        unsafe localtime_r(&time, &parts)
        return unsafe Int64(parts.tm_gmtoff)
    }

    static var hostName: String {
        let bytes = (try? System.readFile("/proc/sys/kernel/hostname", limit: 4096)) ?? []
        return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self).printable
    }
}
