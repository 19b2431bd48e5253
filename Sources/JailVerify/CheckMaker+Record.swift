internal import JailCore
internal import JailPlan
internal import JailPolicy

/// What is known of it afterwards, outside.
extension CheckMaker {
    func record() -> [Check] {
        let logged = plan.network.egress.map { DeniedQuestions.logged($0, hostPort: trial.hostPort) } ?? []
        let wanted = ["launch", "started"]
        var checks = [
            Check(
                "log.intact", "the log says who started what, and is chained and signed", keys: ["audit"],
                tried: "the jail's log, outside",
                judge: { evidence in
                    guard let log = evidence.outside.log else { return Judgement(.notHeld, "it could not be read") }
                    let missing = wanted.filter { !log.events.contains($0) }
                    guard missing.isEmpty else {
                        return Judgement(.notHeld, "it lacks \(missing.joined(separator: ", "))")
                    }
                    return Judgement(log.isIntact, log.isIntact ? "as it was written" : "it was changed")
                })
        ]
        guard !logged.isEmpty else { return checks }
        checks.append(
            Check(
                "log.denials", "the log has an entry for each denial", keys: ["audit"],
                tried: "\(logged.count) that were provoked",
                judge: { evidence in
                    guard let log = evidence.outside.log else { return Judgement(.notHeld, "it could not be read") }
                    let missing = logged.subtracting(log.denied).sorted()
                    return missing.isEmpty
                        ? Judgement(.held, "all of them")
                        : Judgement(.notHeld, "not there: \(missing.prefix(3).joined(separator: ", "))")
                }))
        return checks
    }
}
