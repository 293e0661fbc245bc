extension Migration {
    /// Agents with their caps, payments with their history, and the running totals of the caps.
    ///
    /// - `payments`: what is fixed at reservation, then `state` and `changed_at`, the only columns that change. Rows of
    ///   `refused` challenges have no `accepted`; that column never changes, so the partial UNIQUE index over nonces is
    ///   left alone when a state changes.
    ///   Rules over `state` are chains of OR because SQLite builds a temporary table for each evaluation of a longer IN.
    /// - `evidence`: what outcomes leave, apart from `payments` so that a booked outcome does not make its row grow.
    /// - `totals`: one row for each agent, kept in the transaction of every change, so that no cap decision ever adds up
    ///   rows. `day_counted` and `day_open` belong to `day`, the last day on which the agent reserved; what is open
    ///   from earlier days is `open - day_open`. An agent that is removed and added again keeps its totals.
    static let payments = Migration(
        number: 1, name: "payments",
        sql: """
            CREATE TABLE registry_generation (
                only INTEGER PRIMARY KEY CHECK (only = 1),
                value INTEGER NOT NULL CHECK (value > 0)
            ) STRICT;
            INSERT INTO registry_generation (only, value) VALUES (1, 1);

            CREATE TABLE agents (
                name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
                wallet TEXT,
                token_hash BLOB NOT NULL UNIQUE CHECK (typeof(token_hash) = 'blob' AND length(token_hash) = 32),
                added_at INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE caps (
                agent TEXT NOT NULL REFERENCES agents (name) ON DELETE CASCADE,
                span TEXT NOT NULL CHECK (span IN ('request', 'day', 'lifetime')),
                nanodollars INTEGER NOT NULL CHECK (nanodollars >= 0),
                PRIMARY KEY (agent, span)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE totals (
                agent TEXT PRIMARY KEY,
                lifetime INTEGER NOT NULL,
                open INTEGER NOT NULL CHECK (open BETWEEN 0 AND lifetime),
                day INTEGER NOT NULL,
                day_counted INTEGER NOT NULL CHECK (day_counted BETWEEN 0 AND lifetime),
                day_open INTEGER NOT NULL CHECK (day_open BETWEEN 0 AND open AND day_open <= day_counted)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE payments (
                number INTEGER PRIMARY KEY,
                id TEXT NOT NULL UNIQUE CHECK (length(id) = 36 AND substr(id, 1, 4) = 'pay_'),
                agent TEXT NOT NULL,
                gateway TEXT NOT NULL,
                method TEXT NOT NULL,
                url TEXT NOT NULL,
                fingerprint BLOB NOT NULL CHECK (typeof(fingerprint) = 'blob' AND length(fingerprint) = 32),
                state TEXT NOT NULL CHECK (
                    state = 'reserved' OR state = 'settled' OR state = 'refused' OR state = 'presumed'
                    OR state = 'rejected' OR state = 'in-doubt' OR state = 'voided'),
                reserved_at INTEGER NOT NULL,
                changed_at INTEGER NOT NULL CHECK (changed_at >= reserved_at),
                scheme TEXT,
                network TEXT,
                asset TEXT,
                symbol TEXT,
                decimals INTEGER CHECK (decimals BETWEEN 0 AND 36),
                wallet TEXT,
                payer TEXT,
                pay_to TEXT,
                amount BLOB CHECK (amount IS NULL OR (typeof(amount) = 'blob' AND length(amount) = 32)),
                nanodollars INTEGER CHECK (nanodollars >= 0),
                nonce BLOB CHECK (nonce IS NULL OR (typeof(nonce) = 'blob' AND length(nonce) = 32)),
                valid_after INTEGER,
                valid_before INTEGER,
                version INTEGER CHECK (version IN (1, 2)),
                accepted BLOB,
                resource BLOB,
                extensions BLOB,
                CONSTRAINT terms_whole CHECK (
                    (scheme IS NULL) + (network IS NULL) + (asset IS NULL) + (symbol IS NULL) + (decimals IS NULL)
                    + (wallet IS NULL) + (payer IS NULL) + (pay_to IS NULL) + (amount IS NULL)
                    + (nanodollars IS NULL) + (nonce IS NULL) + (valid_after IS NULL) + (valid_before IS NULL)
                    IN (0, 13)),
                CONSTRAINT authorization_whole CHECK (
                    (state = 'refused' AND accepted IS NULL AND version IS NULL)
                    OR (state <> 'refused' AND accepted IS NOT NULL AND version IS NOT NULL AND scheme IS NOT NULL))
            ) STRICT;
            CREATE UNIQUE INDEX payments_nonce ON payments (nonce, payer, asset, network) WHERE accepted IS NOT NULL;
            CREATE INDEX payments_open ON payments (valid_before)
                WHERE state = 'reserved' OR state = 'rejected' OR state = 'in-doubt';
            CREATE INDEX payments_agent ON payments (agent);
            CREATE TRIGGER payments_stay BEFORE DELETE ON payments
            BEGIN SELECT RAISE(ABORT, 'payments are never deleted'); END;
            CREATE TRIGGER payments_fixed BEFORE UPDATE OF
                number, id, agent, gateway, method, url, fingerprint, reserved_at, scheme, network, asset, symbol,
                decimals, wallet, payer, pay_to, amount, nanodollars, nonce, valid_after, valid_before, version,
                accepted, resource, extensions
            ON payments
            BEGIN SELECT RAISE(ABORT, 'what was reserved is never changed'); END;

            CREATE TABLE evidence (
                payment INTEGER PRIMARY KEY REFERENCES payments (number),
                status INTEGER,
                signature BLOB,
                settlement BLOB,
                chain_transaction TEXT,
                reason TEXT
            ) STRICT;

            CREATE TABLE transitions (
                sequence INTEGER PRIMARY KEY,
                payment INTEGER NOT NULL REFERENCES payments (number),
                at INTEGER NOT NULL,
                state TEXT NOT NULL CHECK (
                    state = 'reserved' OR state = 'settled' OR state = 'refused' OR state = 'presumed'
                    OR state = 'rejected' OR state = 'in-doubt' OR state = 'voided'),
                cause TEXT NOT NULL
            ) STRICT;
            CREATE INDEX transitions_payment ON transitions (payment);
            CREATE TRIGGER transitions_fixed BEFORE UPDATE ON transitions
            BEGIN SELECT RAISE(ABORT, 'transitions are only ever added'); END;
            CREATE TRIGGER transitions_stay BEFORE DELETE ON transitions
            BEGIN SELECT RAISE(ABORT, 'transitions are only ever added'); END;
            """)
}
