/// One thing more that a profile would say: the smallest that allows what was denied.
package struct ProfileChange: Hashable, Sendable {
    /// As `profile show` names it: `filesystem.read`.
    package var key: String
    /// JSON5: an element of a list, or the key's new value.
    package var value: String
    /// The key is a list that gets an element more.
    package var isElement: Bool

    package init(key: String, value: String, isElement: Bool) {
        self.key = key
        self.value = value
        self.isElement = isElement
    }

    /// As it stands in a profile: `filesystem: { read: ["/srv/data"] }`.
    package var text: String {
        let names = key.split(separator: ".").map(String.init)
        let written = "\(names.last ?? key): \(isElement ? "[\(value)]" : value)"
        return names.dropLast().reversed().reduce(written) { inner, name in "\(name): { \(inner) }" }
    }
}
