internal import JailPolicy

/// Reads an answer while it passes, and remembers no more of it than its figures.
struct AnswerReader {
    private enum Kind {
        case json(JSONStream, UsageReader)
        case events(EventReader)
        /// Nothing that is understood.
        case other
    }

    private var kind: Kind
    private var figures = UsageFigures()

    /// - Parameters:
    ///   - type: the answer's Content-Type.
    ///   - encoding: its Content-Encoding; anything but `identity` cannot be read.
    init(type: String?, encoding: String?) {
        let media = (type ?? "").utf8.prefix { $0 != UInt8(ascii: ";") }
        let name = String(decoding: media, as: UTF8.self).trimmed
        if let encoding, !encoding.isASCIIEqual(to: "identity") {
            kind = .other
        } else if name.isASCIIEqual(to: "text/event-stream") {
            kind = .events(EventReader())
        } else {
            kind = name.isASCIIEqual(to: "application/json") ? .json(JSONStream(), UsageReader()) : .other
        }
    }

    mutating func feed(_ bytes: some Sequence<UInt8>) {
        switch kind {
        case .json(var stream, var reader):
            // In place, and not copied with every buffer.
            kind = .other
            do throws(JSONStreamError) {
                try stream.feed(bytes, &reader)
                kind = .json(stream, reader)
            } catch { return }
        case .events(var reader):
            kind = .other
            for byte in bytes { reader.feed(byte, &figures) }
            kind = .events(reader)
        case .other: return
        }
    }

    /// What was used, by an answer that has come to its end; nil: it does not say, or not all of it.
    mutating func finish(_ format: MeteredFormat) -> TokenUsage? {
        switch kind {
        case .json(var stream, var reader):
            guard (try? stream.finish(&reader)) != nil else { return nil }
            figures.add(reader)
        case .events(var reader):
            reader.finish(&figures)
            guard figures.isFinished else { return nil }
        case .other: return nil
        }
        return figures.usage(format)
    }
}

/// Server-sent events, as the HTML standard defines them (9.2.6): of each the data, read as JSON while it comes.
struct EventReader {
    private enum Line: Equatable {
        /// So many bytes of `data:` have come.
        case start(Int)
        /// After the colon, where one space is no part of it.
        case space
        case data
        /// Of another field, or a comment.
        case skipped
    }

    private var line = Line.start(0)
    private var stream = JSONStream()
    private var reader = UsageReader()
    private var isBroken = false
    /// The beginning of the data, to know `[DONE]` by.
    private var beginning: [UInt8] = []
    private var hasData = false
    private var afterReturn = false

    private static let field = Array("data:".utf8)
    private static let done = Array("[DONE]".utf8)

    mutating func feed(_ byte: UInt8, _ figures: inout UsageFigures) {
        let isSecondHalf = afterReturn && byte == 0x0A
        afterReturn = byte == 0x0D
        if isSecondHalf { return }
        if byte == 0x0A || byte == 0x0D { return endLine(&figures) }
        switch line {
        case .start(let count):
            guard byte == Self.field[count] else { return line = .skipped }
            line = count + 1 == Self.field.count ? .space : .start(count + 1)
        case .space:
            line = .data
            beginData()
            if byte != 0x20 { take(byte) }
        case .data: take(byte)
        case .skipped: break
        }
    }

    private mutating func endLine(_ figures: inout UsageFigures) {
        switch line {
        // An empty one ends the event.
        case .start(0): finish(&figures)
        case .space: beginData()
        default: break
        }
        line = .start(0)
    }

    /// Lines of data of one event are one text.
    private mutating func beginData() {
        if hasData { take(0x0A) }
        hasData = true
    }

    private mutating func take(_ byte: UInt8) {
        if beginning.count <= Self.done.count { beginning.append(byte) }
        guard !isBroken else { return }
        do throws(JSONStreamError) { try stream.feed(byte, &reader) } catch { isBroken = true }
    }

    /// An event that is no JSON says nothing.
    mutating func finish(_ figures: inout UsageFigures) {
        guard hasData else { return }
        if beginning == Self.done {
            figures.finish()
        } else if !isBroken, (try? stream.finish(&reader)) != nil {
            figures.add(reader)
        }
        stream = JSONStream()
        reader = UsageReader()
        isBroken = false
        beginning = []
        hasData = false
    }
}
