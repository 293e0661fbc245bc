import Primitives
import X402

/// What a seller asks on one route for one model, as a value: the same words often enough make a price that the payment
/// may go by before they are said again.
struct LearnedPrice: Sendable {
    /// Settled payments in a row, all for one challenge, behind which its price is learned.
    static let settlementsNeeded = 3
    /// The same once the price was wrong.
    static let settlementsNeededAfterMiss = 30
    /// Seconds for which a challenge is gone by without being seen again.
    static let maximumAge: Int64 = 3600

    /// The challenge.
    private(set) var challenge: Challenge
    /// The entry of it that was paid, as the seller wrote it.
    private(set) var accepted: [UInt8]
    /// What has to be in force for it.
    private(set) var binding: PriceBinding
    private var seenAt: Timestamp
    private var settlements = 0
    private var needed = LearnedPrice.settlementsNeeded

    /// Nothing is learned yet from a challenge that was seen.
    init(_ lesson: PriceLesson) {
        challenge = lesson.challenge
        accepted = lesson.accepted
        binding = lesson.binding
        seenAt = lesson.seenAt
    }

    /// Whether it was settled often enough.
    var isStable: Bool { settlements >= needed }

    /// Whether the price may be gone by.
    func isLearned(at now: Timestamp) -> Bool {
        isStable && now.seconds - seenAt.seconds < Self.maximumAge
    }

    /// A payment for a challenge was settled and served.
    mutating func settled(_ lesson: PriceLesson) {
        if lesson.challenge.text != challenge.text || lesson.accepted != accepted || lesson.binding != binding {
            (challenge, accepted) = (lesson.challenge, lesson.accepted)
            binding = lesson.binding
            settlements = 0
        }
        settlements = min(settlements + 1, needed)
        // One that was paid unasked shows nothing of what is asked now.
        if !lesson.isAttached { seenAt = max(seenAt, lesson.seenAt) }
    }

    /// It is learned anew: a payment ended in any other way, or the price could not be paid or need not be; `wasWrong` when the
    /// seller was paid unasked and wanted something else, or nothing.
    mutating func forget(wasWrong: Bool = false) {
        settlements = 0
        if wasWrong { needed = Self.settlementsNeededAfterMiss }
    }
}

/// What one payment may teach of its route's price, once its outcome is known.
struct PriceLesson: Sendable {
    let route: RequestRoute
    let model: Fact<String>
    let challenge: Challenge
    let accepted: [UInt8]
    /// What was in force when it was decided.
    let binding: PriceBinding
    let seenAt: Timestamp
    /// Whether the payment went with the first request, by what was learned before.
    let isAttached: Bool
}
