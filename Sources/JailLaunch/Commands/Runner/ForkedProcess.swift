internal import JailCore

/// What a process does for itself that was forked to go its own way.
enum ForkedProcess {
    /// Has these descriptors at numbers from 3 on, closed on exec, and no others but the standard ones.
    ///
    /// - Parameter standard: three; or none, and they are /dev/null.
    static func keep(_ descriptors: [Descriptor], standard: [Descriptor] = []) throws(SystemError) {
        let null = try System.open("/dev/null", .readWrite)
        let wanted = (standard.count == 3 ? standard : Array(repeating: null.borrowed, count: 3)) + descriptors
        // Above all the numbers that they will have.
        let moved = try wanted.map { (descriptor) throws(SystemError) in
            try System.duplicate(descriptor, atLeast: 64).release()
        }
        _ = null.release()
        for (number, source) in moved.enumerated() {
            try System.duplicate(Descriptor(source), to: Int32(number), closeOnExec: number > 2)
        }
        try System.closeRange(UInt32(moved.count), .max)
    }
}
