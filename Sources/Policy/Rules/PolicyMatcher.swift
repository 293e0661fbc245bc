package import Primitives

/// What a matcher looks at; raw values are the file's keys.
package enum PolicyField: String, Sendable, CaseIterable {
    case agent, team, gateway, host, method, path, model, scheme
    case paymentMethod = "payment-method"
    case network, asset, payee
}

/// One condition of a rule.
package enum PolicyMatcher: Sendable, Equatable {
    /// A text is one of the alternatives; what a payment does not have is none of them.
    case oneOf(PolicyField, [TextPattern])
    /// The price is higher, in dollars.
    case above(Dollars)
    /// The price is not higher, in dollars.
    case upTo(Dollars)
    /// The payment could be settled for longer than this, in seconds.
    case windowAbove(Int64)
    /// Whether the host was never paid at this address.
    case newPayee(Bool)
    /// The price is more than this many hundredths of the highest one before.
    case priceAbove(Int64)
    /// The time of day, UTC.
    case hours(DayHours)
    /// The day of the week, UTC.
    case days([Weekday])

    /// Whether it holds; unknown where it looks at something that could not be read.
    package func holds(for subject: PolicySubject) -> TruthValue {
        switch self {
        case .oneOf(.model, _) where subject.request.model.isUnknown: .unknown
        case .oneOf(let field, let patterns):
            TruthValue(subject.hasText(of: field) { text in patterns.contains { $0.matches(text) } })
        case .above(let bound): TruthValue(subject.value > bound)
        case .upTo(let bound): TruthValue(subject.value <= bound)
        case .windowAbove(let seconds): TruthValue(subject.window > seconds)
        case .newPayee(let isNew): TruthValue(subject.payeeIsNew == isNew)
        case .priceAbove(let hundredths):
            switch subject.priceRatio {
            case .known(let ratio): TruthValue(ratio > hundredths)
            case .absent: .no
            case .unknown: .unknown
            }
        case .hours(let hours): TruthValue(hours.contains(subject.time))
        case .days(let days): TruthValue(days.contains(Weekday(of: subject.time)))
        }
    }
}

extension PolicyMatcher: CustomStringConvertible {
    /// The condition as the file has it: `agent: scout, miner`.
    package var description: String {
        switch self {
        case .oneOf(let field, let patterns):
            "\(field.rawValue): \(patterns.map(\.description).joined(separator: ", "))"
        case .above(let bound): "above: \(bound)"
        case .upTo(let bound): "up-to: \(bound)"
        case .windowAbove(let seconds): "window-above: \(seconds)s"
        case .newPayee(let isNew): "new-payee: \(isNew)"
        case .priceAbove(let hundredths): "price-above: \(PolicySubject.factor(hundredths))"
        case .hours(let hours): "hours: \(hours)"
        case .days(let days): "days: \(days.map(\.rawValue).joined(separator: ", "))"
        }
    }

    /// What the payment has in its place, for people.
    package func found(in subject: PolicySubject) -> String {
        switch self {
        case .oneOf(.model, _): subject.request.model.text
        case .oneOf(let field, _): subject.texts(of: field).first ?? "none"
        case .above, .upTo: "$\(subject.value)"
        case .windowAbove: "\(subject.window)s"
        case .newPayee: subject.payeeIsNew ? "new" : "known"
        case .priceAbove:
            switch subject.priceRatio {
            case .known(let ratio): PolicySubject.factor(ratio)
            case .absent: "no price before"
            case .unknown: "unknown"
            }
        case .hours: String(subject.time.description.dropFirst(11).prefix(5))
        case .days: Weekday(of: subject.time).rawValue
        }
    }
}

extension PolicyMatcher {
    /// Whether it holds for every payment of a request; nil where that depends on the payment.
    func holds(for request: GateRequest) -> TruthValue? {
        guard case .oneOf(let field, let patterns) = self else { return nil }
        if field == .model, request.model.isUnknown { return .unknown }
        return request.hasText(of: field) { text in patterns.contains { $0.matches(text) } }.map { TruthValue($0) }
    }
}

extension GateRequest {
    /// Whether the text of a field is such; nil for fields of a payment.
    func hasText(of field: PolicyField, _ isSuch: (String) -> Bool) -> Bool? {
        switch field {
        case .agent: isSuch(agent)
        case .team: team.map(isSuch) ?? false
        case .gateway: isSuch(gateway)
        case .host: isSuch(host)
        case .method: isSuch(method)
        case .path: isSuch(path)
        case .model: model.value.map(isSuch) ?? false
        case .scheme, .paymentMethod, .network, .payee, .asset: nil
        }
    }
}

extension PolicySubject {
    /// The texts by which a field may be matched; none when the payment has no such thing.
    func texts(of field: PolicyField) -> [String] {
        switch field {
        case .agent: [request.agent]
        case .team: request.team.map { [$0] } ?? []
        case .gateway: [request.gateway]
        case .host: [request.host]
        case .method: [request.method]
        case .path: [request.path]
        case .model: request.model.value.map { [$0] } ?? []
        case .scheme: [scheme]
        case .paymentMethod: [paymentMethod]
        case .network: [network]
        case .asset: [symbol, asset, "\(network)/\(symbol)", "\(network)/\(asset)"]
        case .payee: [payee]
        }
    }

    /// Whether one of the texts of a field is such; the same as asking ``texts(of:)``, without making a list.
    func hasText(of field: PolicyField, _ isSuch: (String) -> Bool) -> Bool {
        if let isSo = request.hasText(of: field, isSuch) { return isSo }
        return texts(of: field).contains(where: isSuch)
    }

    /// Hundredths as a factor: `3x`, `2.50x`.
    package static func factor(_ hundredths: Int64) -> String {
        let rest = hundredths % 100
        return rest == 0 ? "\(hundredths / 100)x" : "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)x"
    }
}
