import JailCore
import SecretStore

/// The store of whoever calls.
enum SecretPlace {
    /// The first thing that a command does: nothing of its memory ends in a core dump, and no other process of the same user
    /// reads it.
    static func guardMemory() throws(JailError) {
        try attempt(.secrets) { () throws(SystemError) in
            try System.setDumpable(false)
            try System.setLimit(.core, soft: 0, hard: 0)
        }
    }

    static func reading(_ key: SecretKeyOptions) throws(JailError) -> SecretStore {
        try SecretStore(DataTarget.directory(SecretStore.directoryName), key.finder())
    }

    /// Nobody else changes anything until this process ends.
    static func changing(_ key: SecretKeyOptions) throws(JailError) -> SecretStore {
        let store = try reading(key)
        try store.takeLock()
        try store.dropOutdated(now: System.realtimeSeconds())
        return store
    }

    static func change() -> SecretStore.Change {
        SecretStore.Change(who: LockdownWork.who(), time: System.realtimeSeconds())
    }
}
