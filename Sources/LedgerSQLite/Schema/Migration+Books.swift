extension Migration {
    /// Rules (agents, caps, freezes), payments, and the journal with its accounts.
    ///
    /// - `entries`: the journal, only ever added to. The subject of an entry about a payment is the payment.
    /// - `payments`: what is fixed at reservation, then `state` and `changed_at`. What may be erased is erased as a whole
    ///   and with its salt, once the payment is closed. Rows of `refused` challenges have no `version`; that column never
    ///   changes, so the partial UNIQUE index over nonces is left alone when a state changes.
    ///   Rules over `state` are chains of OR because SQLite builds a temporary table for each evaluation of a longer IN.
    /// - `evidence`: what each step left, by payment and entry, so that it can be held against the entry's hash.
    /// - `known_payees`, `known_prices`: what was paid before, so that what is unusual can be told; not money.
    /// - `accounts`: balances, and `caps` with their counters, are kept in the transaction of every change, so that no
    ///   decision ever adds up rows; both can be worked out again from entries and payments.
    /// - Identifiers and nonces of our own begin with a time, so that their indexes grow at one end, however long the
    ///   books are. Attempts that may be adopted and payments without proof are found by partial indexes that a payment
    ///   which settles at once never enters.
    static let books = Migration(number: 1, name: "books", sql: rules + payments + journal)

    private static let states = """
        state = 'reserved' OR state = 'settled' OR state = 'refused' OR state = 'presumed' OR state = 'rejected'
        OR state = 'in-doubt' OR state = 'voided' OR state = 'resumed' OR state = 'confirmed' OR state = 'released'
        OR state = 'lapsed'
        """

    private static let rules = """
        CREATE TABLE registry_generation (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            value INTEGER NOT NULL CHECK (value > 0)
        ) STRICT;
        INSERT INTO registry_generation (only, value) VALUES (1, 1);

        CREATE TABLE agents (
            name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
            wallet TEXT,
            team TEXT,
            token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
            added_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE caps (
            number INTEGER PRIMARY KEY,
            scope TEXT NOT NULL,
            span TEXT NOT NULL,
            measure TEXT NOT NULL CHECK (measure IN ('dollars', 'units', 'payments')),
            amount BLOB NOT NULL CHECK (length(amount) = 32),
            open BLOB NOT NULL CHECK (length(open) = 32),
            buckets BLOB NOT NULL CHECK (length(buckets) % 72 = 0),
            UNIQUE (scope, span, measure)
        ) STRICT;

        CREATE TABLE freezes (
            scope TEXT PRIMARY KEY,
            since INTEGER NOT NULL,
            actor TEXT NOT NULL,
            reason TEXT
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE streaks (
            gateway TEXT NOT NULL,
            asset TEXT NOT NULL,
            rejections INTEGER NOT NULL CHECK (rejections > 0),
            pause INTEGER NOT NULL CHECK (pause > 0),
            next_probe INTEGER NOT NULL,
            PRIMARY KEY (gateway, asset)
        ) STRICT, WITHOUT ROWID;

        """

    private static let payments = """
        CREATE TABLE payments (
            number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 9007199254740992),
            id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
            agent TEXT NOT NULL,
            team TEXT,
            gateway TEXT NOT NULL,
            host TEXT NOT NULL,
            state TEXT NOT NULL CHECK (\(states)),
            reserved_at INTEGER NOT NULL,
            changed_at INTEGER NOT NULL CHECK (changed_at >= reserved_at),
            policy BLOB CHECK (policy IS NULL OR length(policy) = 32),
            scheme TEXT,
            payment_method TEXT CHECK (length(payment_method) BETWEEN 1 AND 40),
            network TEXT,
            asset TEXT,
            symbol TEXT,
            decimals INTEGER CHECK (decimals BETWEEN 0 AND 36),
            wallet TEXT,
            payer TEXT,
            pay_to TEXT,
            amount BLOB CHECK (amount IS NULL OR length(amount) = 32),
            nanodollars INTEGER CHECK (nanodollars >= 0),
            nonce BLOB CHECK (nonce IS NULL OR length(nonce) = 32),
            valid_after INTEGER,
            valid_before INTEGER,
            moved BLOB CHECK (moved IS NULL OR length(moved) = 32),
            version INTEGER CHECK (version IN (1, 2)),
            salt BLOB CHECK (salt IS NULL OR length(salt) = 32),
            method TEXT,
            url TEXT,
            model TEXT,
            fingerprint BLOB CHECK (fingerprint IS NULL OR length(fingerprint) = 32),
            accepted BLOB,
            resource BLOB,
            extensions BLOB,
            offer BLOB,
            CONSTRAINT terms_whole CHECK (
                (scheme IS NULL) + (payment_method IS NULL) + (network IS NULL) + (asset IS NULL) + (symbol IS NULL) + (decimals IS NULL)
                + (wallet IS NULL) + (payer IS NULL) + (pay_to IS NULL) + (amount IS NULL)
                + (nanodollars IS NULL) + (nonce IS NULL) + (valid_after IS NULL) + (valid_before IS NULL)
                IN (0, 14)),
            CONSTRAINT request_whole CHECK (
                (salt IS NULL) + (method IS NULL) + (url IS NULL) + (fingerprint IS NULL) IN (0, 4)),
            CONSTRAINT authorization_whole CHECK (
                (state = 'refused' AND version IS NULL AND accepted IS NULL)
                OR (state <> 'refused' AND version IS NOT NULL AND scheme IS NOT NULL
                    AND (accepted IS NULL) = (salt IS NULL)))
        ) STRICT;
        CREATE UNIQUE INDEX payments_nonce ON payments (nonce, payer, asset, network) WHERE version IS NOT NULL;
        CREATE INDEX payments_open ON payments (valid_before)
            WHERE state = 'reserved' OR state = 'resumed' OR state = 'rejected' OR state = 'in-doubt';
        CREATE INDEX payments_attempts ON payments (fingerprint) WHERE state = 'rejected' OR state = 'in-doubt';
        CREATE INDEX payments_unproven ON payments (network, valid_before)
            WHERE state = 'rejected' OR state = 'in-doubt' OR state = 'presumed' OR state = 'lapsed';
        CREATE INDEX payments_unshown ON payments (network)
            WHERE scheme = 'upto' AND moved IS NULL AND (state = 'settled' OR state = 'confirmed');
        CREATE INDEX payments_agent ON payments (agent);
        CREATE TRIGGER payments_stay BEFORE DELETE ON payments
        BEGIN SELECT RAISE(ABORT, 'payments are never deleted'); END;
        CREATE TRIGGER payments_fixed BEFORE UPDATE OF
            number, id, agent, team, gateway, host, reserved_at, policy, scheme,
            payment_method, network, asset, symbol, decimals, wallet, payer,
            pay_to, amount, nanodollars, nonce, valid_after, valid_before, version
        ON payments
        BEGIN SELECT RAISE(ABORT, 'what was reserved is never changed'); END;
        CREATE TRIGGER payments_shown BEFORE UPDATE OF moved ON payments
        WHEN OLD.moved IS NOT NULL OR NEW.moved IS NULL OR NEW.moved > OLD.amount OR NEW.scheme <> 'upto'
            OR NOT (OLD.state = 'settled' OR OLD.state = 'confirmed')
        BEGIN SELECT RAISE(ABORT, 'what was moved is shown once'); END;
        CREATE TRIGGER payments_erased BEFORE UPDATE OF
            salt, method, url, model, fingerprint, accepted, resource, extensions, offer
        ON payments
        WHEN NEW.salt IS NOT NULL OR NEW.model IS NOT NULL OR NEW.accepted IS NOT NULL OR NEW.resource IS NOT NULL
            OR NEW.extensions IS NOT NULL OR NEW.offer IS NOT NULL OR OLD.state = 'reserved' OR OLD.state = 'resumed' OR OLD.state = 'rejected'
            OR OLD.state = 'in-doubt'
        BEGIN SELECT RAISE(ABORT, 'what was asked is erased whole, once the payment is closed, or not changed'); END;

        CREATE TABLE request_keys (
            agent TEXT NOT NULL,
            key BLOB NOT NULL CHECK (length(key) = 32),
            fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
            payment INTEGER NOT NULL REFERENCES payments (number),
            bound_at INTEGER NOT NULL,
            PRIMARY KEY (agent, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX request_keys_age ON request_keys (bound_at);

        CREATE TABLE known_payees (
            host TEXT NOT NULL,
            asset TEXT NOT NULL,
            payee TEXT NOT NULL,
            since INTEGER NOT NULL,
            PRIMARY KEY (host, asset, payee)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE known_prices (
            agent TEXT NOT NULL,
            host TEXT NOT NULL,
            route TEXT NOT NULL,
            model TEXT NOT NULL,
            asset TEXT NOT NULL,
            nanodollars INTEGER NOT NULL CHECK (nanodollars >= 0),
            learnt INTEGER NOT NULL,
            PRIMARY KEY (agent, host, route, model, asset)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX known_prices_age ON known_prices (learnt);

        CREATE TABLE calls (
            number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 9007199254740992),
            at INTEGER NOT NULL,
            agent TEXT NOT NULL,
            team TEXT,
            gateway TEXT NOT NULL,
            host TEXT NOT NULL
        ) STRICT;
        CREATE TRIGGER calls_fixed BEFORE UPDATE ON calls
        BEGIN SELECT RAISE(ABORT, 'calls are only ever added'); END;
        CREATE TRIGGER calls_stay BEFORE DELETE ON calls
        BEGIN SELECT RAISE(ABORT, 'calls are only ever added'); END;

        """

    private static let journal = """
        CREATE TABLE accounts (
            number INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            asset TEXT NOT NULL,
            debits BLOB NOT NULL CHECK (length(debits) = 32),
            credits BLOB NOT NULL CHECK (length(credits) = 32),
            UNIQUE (name, asset)
        ) STRICT;

        CREATE TABLE entries (
            number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 9007199254740992),
            at INTEGER NOT NULL,
            kind TEXT NOT NULL,
            payment INTEGER REFERENCES payments (number),
            subject TEXT,
            cause TEXT NOT NULL,
            state TEXT CHECK (state IS NULL OR \(states)),
            debit INTEGER REFERENCES accounts (number),
            credit INTEGER REFERENCES accounts (number),
            amount BLOB CHECK (amount IS NULL OR length(amount) = 32),
            actor TEXT,
            detail TEXT,
            terms BLOB,
            metadata BLOB,
            hash BLOB NOT NULL CHECK (length(hash) = 32),
            CONSTRAINT subject_once CHECK ((payment IS NULL) + (subject IS NULL) = 1),
            CONSTRAINT transfer_whole CHECK (
                (debit IS NULL) + (credit IS NULL) + (amount IS NULL) IN (0, 3)
                AND (debit IS NULL OR debit <> credit))
        ) STRICT;
        CREATE INDEX entries_payment ON entries (payment) WHERE payment IS NOT NULL;
        CREATE INDEX entries_kind ON entries (kind, cause, subject) WHERE payment IS NULL AND kind <> 'metered';
        CREATE TRIGGER entries_fixed BEFORE UPDATE ON entries
        BEGIN SELECT RAISE(ABORT, 'entries are only ever added'); END;
        CREATE TRIGGER entries_stay BEFORE DELETE ON entries
        BEGIN SELECT RAISE(ABORT, 'entries are only ever added'); END;

        CREATE TABLE evidence (
            payment INTEGER NOT NULL REFERENCES payments (number),
            entry INTEGER NOT NULL REFERENCES entries (number),
            status INTEGER,
            signature BLOB,
            settlement BLOB,
            chain_transaction TEXT,
            reason TEXT,
            PRIMARY KEY (payment, entry)
        ) STRICT, WITHOUT ROWID;
        CREATE TRIGGER evidence_stays BEFORE DELETE ON evidence
        BEGIN SELECT RAISE(ABORT, 'evidence is never deleted'); END;
        CREATE TRIGGER evidence_fixed BEFORE UPDATE ON evidence
        WHEN NEW.payment IS NOT OLD.payment OR NEW.entry IS NOT OLD.entry OR NEW.status IS NOT OLD.status
            OR NEW.signature IS NOT OLD.signature OR NEW.chain_transaction IS NOT OLD.chain_transaction
            OR NEW.settlement IS NOT NULL OR NEW.reason IS NOT NULL
        BEGIN SELECT RAISE(ABORT, 'evidence is erased or not changed'); END;
        """
}
