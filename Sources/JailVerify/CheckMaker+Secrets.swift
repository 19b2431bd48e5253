internal import JailCore
internal import JailPlan
internal import JailPolicy

/// Secrets: programs inside have what stands for them, and nothing else.
extension CheckMaker {
    /// By their form: whoever verifies has no values, and a value is of another form only by chance. What would be found of a value
    /// that was handed in all the same is that nothing but the way out ever gets one.
    func secrets() -> [Check] {
        guard let secrets = plan.network.egress?.secrets, !secrets.isEmpty else { return [] }
        let variables = secrets.variables.map(\.variable)
        return [
            Check(
                "secrets.placeholders", "what stands for secrets is in the environment, a placeholder for each",
                keys: ["secrets[].name", "secrets[].env"], tried: "environ",
                judge: { evidence in
                    let values = variables.map { evidence.inside[["environment", $0]]?.text ?? "" }
                    let wrong = zip(variables, values).filter { SecretPlaceholder(text: $0.1) == nil }.map(\.0)
                    guard wrong.isEmpty else {
                        return Judgement(.notHeld, "no placeholder in \(wrong.joined(separator: ", "))")
                    }
                    return Judgement(.held, "\(secrets.names.count) secrets, \(variables.count) variables")
                })
        ]
    }
}
