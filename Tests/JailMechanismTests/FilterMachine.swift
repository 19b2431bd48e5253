/// Evaluates classic BPF as the kernel does for seccomp(2): the few instructions that it takes, on the 64 bytes of
/// struct seccomp_data.
struct FilterMachine {
    enum Decision: Equatable, CustomStringConvertible {
        case allow
        case errno(UInt32)
        case kill
        case other(UInt32)

        init(_ value: UInt32) {
            switch value & 0xFFFF_0000 {
            case 0x7FFF_0000: self = .allow
            case 0x0005_0000: self = .errno(value & 0xFFFF)
            case 0x8000_0000: self = .kill
            default: self = .other(value)
            }
        }

        var description: String {
            switch self {
            case .allow: "allow"
            case .errno(let code): "errno \(code)"
            case .kill: "kill"
            case .other(let value): "0x" + String(value, radix: 16)
            }
        }
    }

    struct Call {
        var number: UInt32
        var architecture: UInt32
        var arguments: [UInt64] = []

        /// A word of struct seccomp_data; little-endian, as both architectures are.
        func word(at offset: UInt32) -> UInt32? {
            switch offset {
            case 0: return number
            case 4: return architecture
            case 8, 12: return 0
            case 16..<64 where offset % 4 == 0:
                let index = Int(offset - 16) / 8
                let argument = index < arguments.count ? arguments[index] : 0
                return UInt32(truncatingIfNeeded: offset % 8 == 0 ? argument : argument >> 32)
            default: return nil
            }
        }
    }

    struct Broken: Error { let at: Int }

    let program: [UInt64]

    func decide(_ call: Call) throws(Broken) -> Decision {
        var accumulator: UInt32 = 0
        var scratch = [UInt32](repeating: 0, count: 16)
        var index = 0
        while index < program.count {
            let code = UInt16(truncatingIfNeeded: program[index])
            let ifTrue = Int(UInt8(truncatingIfNeeded: program[index] >> 16))
            let ifFalse = Int(UInt8(truncatingIfNeeded: program[index] >> 24))
            let constant = UInt32(truncatingIfNeeded: program[index] >> 32)
            index += 1
            switch code {
            case 0x20:  // ld [k]
                guard let word = call.word(at: constant) else { throw Broken(at: index) }
                accumulator = word
            case 0x54: accumulator &= constant
            case 0x02: scratch[Int(constant & 15)] = accumulator
            case 0x60: accumulator = scratch[Int(constant & 15)]
            case 0x05: index += Int(constant)
            case 0x15: index += accumulator == constant ? ifTrue : ifFalse
            case 0x25: index += accumulator > constant ? ifTrue : ifFalse
            case 0x35: index += accumulator >= constant ? ifTrue : ifFalse
            case 0x45: index += accumulator & constant != 0 ? ifTrue : ifFalse
            case 0x06: return Decision(constant)
            default: throw Broken(at: index)
            }
        }
        throw Broken(at: index)
    }
}
