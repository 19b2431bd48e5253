/// A path as it is compared: its segments, split once for all patterns.
struct PathForm {
    var segments: [[UInt8]]

    init(_ path: CanonicalPath) {
        segments = Array(path.path.utf8).dropFirst().split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false
        )
        .map { Array($0) }
    }

    private init(segments: [[UInt8]]) { self.segments = segments }

    /// As servers may read it that are less strict: letters of either case, encodings decoded, repeated slashes as one, a slash
    /// at the end as none.
    /// A deny is matched with all of them, since what is denied must not come through in another spelling.
    static func lenient(_ path: CanonicalPath) -> [PathForm] {
        let plain = PathForm(path).folded
        let decoded = PathForm(segments: plain.segments.map(decode)).folded
        return [plain, decoded].flatMap { [$0, $0.collapsed, $0.collapsed.otherEnd] }
    }

    private var folded: PathForm {
        PathForm(segments: segments.map { $0.map { Name.isUpper($0) ? $0 | 0x20 : $0 } })
    }

    private var collapsed: PathForm {
        let last = segments.last ?? []
        let filled = segments.filter { !$0.isEmpty }
        return PathForm(segments: last.isEmpty ? filled + [[]] : filled)
    }

    /// With a slash at the end if there was none, and the other way round.
    private var otherEnd: PathForm {
        PathForm(segments: segments.last == [] ? Array(segments.dropLast()) : segments + [[]])
    }

    private static func decode(_ segment: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var index = 0
        while index < segment.count {
            if segment[index] == UInt8(ascii: "%"), index + 2 < segment.count, let high = segment[index + 1].hexValue,
                let low = segment[index + 2].hexValue
            {
                output.append(high << 4 | low)
                index += 3
            } else {
                output.append(segment[index])
                index += 1
            }
        }
        return output
    }
}
