package import Primitives

extension PaymentRecord {
    /// The hash of what a payment's first entry fixes for ever.
    package var termsHash: Bytes32 {
        var bytes = CanonicalBytes("purser-terms-1")
        bytes.add(id.description)
        bytes.add(reservedAt.milliseconds)
        bytes.add(purpose.agent)
        bytes.add(purpose.team)
        bytes.add(purpose.gateway)
        bytes.add(purpose.host)
        bytes.add(purpose.policy)
        bytes.add(terms?.scheme)
        bytes.add(terms?.method)
        bytes.add(terms?.network)
        bytes.add(terms?.asset)
        bytes.add(terms?.symbol)
        bytes.add((terms?.decimals).map(Int64.init))
        bytes.add(terms?.wallet)
        bytes.add(terms?.payer)
        bytes.add(terms?.payTo)
        bytes.add(terms?.amount.description)
        bytes.add(terms?.value.nanodollars)
        bytes.add(terms?.nonce)
        bytes.add(terms?.validAfter)
        bytes.add(terms?.validBefore)
        return bytes.hash
    }

    /// The salted hash of what a payment's first entry fixes until it is erased; nil behind that.
    package var requestHash: Bytes32? {
        guard let salt, let request = purpose.request else { return nil }
        var bytes = CanonicalBytes("purser-request-1")
        bytes.add(salt)
        bytes.add(request.method)
        bytes.add(request.url)
        bytes.add(request.modelText)
        bytes.add(request.fingerprint)
        bytes.add((echo?.version).map(Int64.init))
        bytes.add(echo?.accepted)
        bytes.add(echo?.resource)
        bytes.add(echo?.extensions)
        bytes.add(echo?.offer)
        return bytes.hash
    }

    /// The first line of a payment's history; it says where the model was unknown to the rules that decided.
    package func firstLine(cause: String) -> JournalLine {
        JournalLine(
            .payment, subject: id.description, cause: cause, state: state,
            transfer: terms?.transfer(from: nil, to: state, for: purpose.agent),
            detail: purpose.request?.model == .unknown ? JournalLine.unknownModel : nil, terms: termsHash,
            metadata: requestHash)
    }

    /// The line of the step that shows what an `upto` payment really moved.
    package func line(showing moved: UInt256, leaving evidence: PaymentEvidence) -> JournalLine {
        JournalLine(
            .payment, subject: id.description, cause: PaymentEvent.amountShown.rawValue, state: state,
            transfer: terms?.transfer(freeing: moved, in: state, for: purpose.agent),
            metadata: salt.flatMap { evidence.hash(salt: $0) })
    }

    /// The line of a step that has brought the payment to its present state from what it was before; it says what became of
    /// the answer, where the step changed that.
    package func line(_ event: PaymentEvent, from previous: PaymentRecord, leaving evidence: PaymentEvidence)
        -> JournalLine
    {
        JournalLine(
            .payment, subject: id.description, cause: event.rawValue, state: state,
            transfer: terms?.transfer(from: previous.state, to: state, for: purpose.agent),
            detail: saysDelivery(since: previous) ? delivery?.detail : nil,
            metadata: salt.flatMap { evidence.hash(salt: $0) })
    }

    private func saysDelivery(since previous: PaymentRecord) -> Bool {
        delivery?.fate != previous.delivery?.fate || delivery?.at != previous.delivery?.at
    }
}

extension JournalLine {
    /// What the first entry of a payment says whose model could not be read.
    package static let unknownModel = "model: unknown"
}

extension PaymentIntent.Request {
    /// The model as it is stored and hashed: its name, nil for none, and the empty text for an unknown one.
    ///
    /// A name is never empty, so that books in which every unread model was none have the hashes that they had.
    package var modelText: String? {
        switch model {
        case .known(let name): name
        case .absent: nil
        case .unknown: ""
        }
    }

    /// The model in a text that ``modelText`` made.
    package static func model(_ text: String?) -> Fact<String> {
        text.map { $0.isEmpty ? .unknown : .known($0) } ?? .absent
    }
}

extension PaymentEvidence {
    /// The salted hash of what one step left; nil when it left nothing.
    package func hash(salt: Bytes32) -> Bytes32? {
        guard self != PaymentEvidence() else { return nil }
        var bytes = CanonicalBytes("purser-evidence-1")
        bytes.add(salt)
        bytes.add(status.map(Int64.init))
        bytes.add(signature)
        bytes.add(settlement)
        bytes.add(transaction)
        bytes.add(reason)
        return bytes.hash
    }
}
