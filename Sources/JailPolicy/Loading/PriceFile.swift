package import JailCore

extension PriceTable {
    /// The first of the files that is there; as strictly as a profile. Errors are of the stage `profile`.
    ///
    /// - Parameter owners: the uids that it may belong to: root's and the caller's.
    package static func load(_ paths: [String], owners: [UInt32]) throws(JailError) -> PriceTable {
        for path in paths {
            guard let file = try ProfileFile.read(path: path, name: "prices", label: path, owners: owners) else {
                continue
            }
            return try decode(file.content)
        }
        throw JailError(
            .profile, reason: "there is no table of prices, which 'spend.perDay' is reckoned with",
            hint: "put one at \((paths.first ?? "").printable), see clawjail-profile(5)")
    }

    /// `{ models: […] }`
    package static func decode(_ tree: JSON5Value) throws(JailError) -> PriceTable {
        var table = PriceTable([])
        try SectionTable<PriceTable>([
            SectionKey(
                "models",
                read: { (field, table) throws(JailError) in table.models = try field.prices() },
                write: { .array($0.models.map(\.json)) })
        ]).read(Field(value: tree, path: "", home: nil), into: &table)
        return table
    }

    package var json: JSON { ["models": .array(models.map(\.json))] }
}
