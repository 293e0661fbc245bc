import Ledger
import Logging
import Policy
import Primitives
import Wallets
import X402

/// Signing in before paying: a seller that keeps who has paid may let the same wallet read again what it bought.
///
/// Opt-in for each gateway, since it links the wallet to the request; and only where something was bought before.
struct SignIn: Sendable {
    let table: AssetTable
    let logger: Logger

    /// The header that shows the seller who asks; nil where there is nothing to gain, or the seller's request is not one
    /// that a wallet may sign.
    func header(
        for challenge: Challenge, of request: PaymentRequest, from wallet: PayingWallet, isBuyer: Bool,
        at now: Timestamp
    ) -> PaymentHeader? {
        guard request.maySignIn, request.policy.signsIn, isBuyer,
            let entry = challenge.extensions.first(where: { $0.key == SignInChallenge.key }),
            let origin = WebOrigin(url: request.content.url)
        else { return nil }
        do {
            let statement = try SignInChallenge.read(entry).statement(
                for: wallet.signer.address, answeredBy: origin, networks: networks, at: now)
            let signature = try wallet.signer.sign(Signable(statement))
            return statement.header(signature: signature)
        } catch let problem as SignInProblem {
            logger.notice(
                "no sign-in", metadata: ["gateway": "\(request.gateway)", "problem": "\(problem)".printable])
        } catch {
            logger.error("sign-in not signed", metadata: ["gateway": "\(request.gateway)", "problem": "\(error)"])
        }
        return nil
    }

    /// Accounts are the same on every network of the table.
    private var networks: Set<String> { Set(table.assets.map(\.network)) }
}

extension String {
    /// The text as log lines take it.
    fileprivate var printable: Logger.MetadataValue { "\(printable(limit: 128))" }
}
