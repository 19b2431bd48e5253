/// This program's own version, see CHANGELOG.md.
package enum Release {
    package static let version = "0.1.0"
}
