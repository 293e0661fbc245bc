import Ledger
import Primitives
import TestSupport
import Testing

@Suite("What is known of wallets without funds")
struct UnfundedWalletsTests {
    private static func terms(_ amount: UInt64) -> PaymentIntent.Terms {
        PaymentIntent.sample(1, amount: UInt256(amount)).terms
    }

    private static func isPaused(_ wallets: UnfundedWallets, _ amount: UInt64, by agent: String = "scout") -> Bool {
        wallets.pause(of: terms(amount), by: agent, at: .vectors) != nil
    }

    /// What two hosts claim who refused these amounts.
    private static func claimed(_ amounts: [(host: String, amount: UInt64)]) -> UnfundedWallets {
        var wallets = UnfundedWallets()
        for claim in amounts { _ = wallets.doubt(terms(claim.amount), .claim(host: claim.host), at: .vectors) }
        return wallets
    }

    @Test("claims about large payments pause no smaller ones: two hosts have to refuse what is paused")
    func amounts() {
        let wallets = Self.claimed([("x", 1000), ("y", 200), ("x", 100)])
        #expect(Self.isPaused(wallets, 200) && Self.isPaused(wallets, 1000))
        #expect(!Self.isPaused(wallets, 199))
        // A third host that refuses as little makes it two of them.
        var more = wallets
        _ = more.doubt(Self.terms(150), .claim(host: "z"), at: .vectors)
        #expect(Self.isPaused(more, 150) && !Self.isPaused(more, 149))
    }

    @Test("an accepted payment ends the claims about payments of its size, and no others")
    func accepted() {
        var wallets = Self.claimed([("x", 1000), ("y", 200)])
        wallets.accepted(Self.terms(199))
        #expect(Self.isPaused(wallets, 1000))
        wallets.accepted(Self.terms(200))
        #expect(!Self.isPaused(wallets, 1000) && !wallets.isEmpty)
        // The claim that is left counts with another one's.
        let isPaused1 = wallets.doubt(Self.terms(5000), .claim(host: "y"), at: .vectors)
        #expect(isPaused1)
        #expect(Self.isPaused(wallets, 5000) && !Self.isPaused(wallets, 4999))
        wallets.accepted(Self.terms(5000))
        #expect(wallets.isEmpty)
    }

    @Test(
        "a balance that is enough for a small payment ends no pause of larger ones, and one that is enough for all does"
    )
    func balances() {
        var wallets = UnfundedWallets()
        let isPaused2 = wallets.doubt(Self.terms(1000), .balance(UInt256(500)), at: .vectors)
        #expect(isPaused2)
        let isPaused3 = wallets.doubt(Self.terms(100), .balance(UInt256(700)), at: .vectors)
        #expect(!isPaused3)
        #expect(Self.isPaused(wallets, 1000) && Self.isPaused(wallets, 701) && !Self.isPaused(wallets, 700))
        let isPaused4 = wallets.doubt(Self.terms(100), .balance(UInt256(1000)), at: .vectors)
        #expect(!isPaused4)
        #expect(wallets.isEmpty)
    }

    @Test("each agent has a try of its own a minute, and what one does takes no other's")
    func tries() {
        var wallets = Self.claimed([("x", 100), ("y", 100)])
        let (terms, start) = (Self.terms(100), Timestamp.vectors)
        func next(_ agent: String, _ second: Int64) -> Int64? {
            wallets.pause(of: terms, by: agent, at: start.adding(seconds: second)).map {
                $0.until.seconds - start.seconds
            }
        }
        #expect(next("ada", 0) == 60 && next("bob", 59) == 60)
        wallets.reserved(terms, by: "ada", at: start.adding(seconds: 60))
        #expect(next("ada", 60) == 120 && next("bob", 60) == nil)
        wallets.reserved(terms, by: "bob", at: start.adding(seconds: 100))
        #expect(next("ada", 120) == nil && next("bob", 120) == 160)
        wallets.unsent(terms, by: "bob")
        #expect(next("bob", 120) == nil)
        for number in 0..<5 {
            wallets.reserved(terms, by: "agent\(number)", at: start.adding(seconds: Int64(200 + 60 * number)))
        }
        #expect(wallets.standings.values.first?.pause?.tries.count == 1, "what is over is not kept")
    }
}
