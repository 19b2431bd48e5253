internal import CLinux

/// A file descriptor that belongs to exactly one place, and is closed there.
///
/// Borrow it as ``Descriptor`` for calls. Closing errors are not reported: on Linux the descriptor is gone in any case,
/// and nothing here relies on close(2) to flush.
package struct OwnedDescriptor: ~Copyable, Sendable {
    private let number: Int32

    /// Takes ownership of an open descriptor.
    package init(_ number: Int32) { self.number = number }

    deinit { if number >= 0 { _ = cl_close(number) } }

    package var borrowed: Descriptor { Descriptor(number) }

    /// Gives the number away; whoever gets it closes it.
    package consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }
}

/// An owned descriptor where a copyable value is needed: in an array, or behind an optional.
package final class SharedDescriptor {
    private var descriptor: OwnedDescriptor

    package init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    package var borrowed: Descriptor { descriptor.borrowed }

    /// Gives the descriptor away; nothing is left here.
    package func take() -> OwnedDescriptor {
        var taken = OwnedDescriptor(-1)
        swap(&taken, &descriptor)
        return taken
    }
}

/// An owned descriptor that several may hold, of any thread: it is closed when nobody does any more. Until then its number
/// is nobody else's.
package final class KeptDescriptor: Sendable {
    private let descriptor: OwnedDescriptor

    package init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    package var borrowed: Descriptor { descriptor.borrowed }
}

/// A descriptor that somebody else owns.
package struct Descriptor: Hashable, Sendable {
    package let number: Int32

    package init(_ number: Int32) { self.number = number }

    package static let standardInput = Descriptor(0)
    package static let standardOutput = Descriptor(1)
    package static let standardError = Descriptor(2)
    /// AT_FDCWD: relative paths start at the working directory, absolute ones anywhere.
    package static let workingDirectory = Descriptor(-100)
}
