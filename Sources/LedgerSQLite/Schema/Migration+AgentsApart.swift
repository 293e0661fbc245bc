extension Migration {
    /// Keeps what one agent does from changing what is decided for another, and what is known of wallets without funds.
    ///
    /// - `outweighed_by` of `rejecting_agents`: the only other agent of which the gateway accepted a payment since the pause
    ///   began; NULL where there were several, or none (`outweighed` is 0). Of earlier rows the name is not known, and they
    ///   count as several, which is what they meant.
    /// - `rejections_counted`: the first entry that the rows of rejections count for certain, so that they can be verified.
    /// - `unfunded_wallets`: what is known of a wallet in a token that sellers say is too little; `since` and `next_try` are
    ///   its pause. `unfunded_claims`: when each seller's host said so last.
    /// - `agent_payees`: the payees that an agent paid, by host and token. `known_payees` keeps those of earlier versions,
    ///   which all agents know, and grows no more.
    /// - `price_ceilings`: the highest of the prices that were forgotten of an agent at a host, by token. It stands for each
    ///   of them.
    /// - The indexes over unproven payments begin with network and agent, so that each agent has its turn.
    static let agentsApart = Migration(
        number: 5, name: "agents apart",
        sql: """
            ALTER TABLE rejecting_agents
                ADD COLUMN outweighed_by TEXT CHECK (outweighed_by IS NULL OR outweighed = 1);

            CREATE TABLE rejections_counted (
                only INTEGER PRIMARY KEY CHECK (only = 1),
                first INTEGER NOT NULL CHECK (first > 0)
            ) STRICT;
            INSERT INTO rejections_counted (only, first) SELECT 1, coalesce(max(number), 0) + 1 FROM entries;

            CREATE TABLE unfunded_wallets (
                network TEXT NOT NULL,
                asset TEXT NOT NULL,
                payer TEXT NOT NULL,
                wallet TEXT NOT NULL,
                symbol TEXT NOT NULL,
                decimals INTEGER NOT NULL CHECK (decimals BETWEEN 0 AND 36),
                balance BLOB CHECK (balance IS NULL OR length(balance) = 32),
                since INTEGER,
                next_try INTEGER,
                PRIMARY KEY (network, asset, payer),
                CONSTRAINT pause_whole CHECK ((since IS NULL) = (next_try IS NULL))
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE unfunded_claims (
                network TEXT NOT NULL,
                asset TEXT NOT NULL,
                payer TEXT NOT NULL,
                host TEXT NOT NULL,
                at INTEGER NOT NULL,
                PRIMARY KEY (network, asset, payer, host)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE agent_payees (
                agent TEXT NOT NULL,
                host TEXT NOT NULL,
                asset TEXT NOT NULL,
                payee TEXT NOT NULL,
                since INTEGER NOT NULL,
                PRIMARY KEY (agent, host, asset, payee)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE price_ceilings (
                agent TEXT NOT NULL,
                host TEXT NOT NULL,
                asset TEXT NOT NULL,
                nanodollars INTEGER NOT NULL CHECK (nanodollars >= 0),
                PRIMARY KEY (agent, host, asset)
            ) STRICT, WITHOUT ROWID;
            DROP INDEX known_prices_age;

            DROP INDEX payments_unproven;
            CREATE INDEX payments_unproven ON payments (network, agent, valid_before)
                WHERE state = 'rejected' OR state = 'in-doubt' OR state = 'presumed' OR state = 'lapsed';
            DROP INDEX payments_unshown;
            CREATE INDEX payments_unshown ON payments (network, agent)
                WHERE scheme = 'upto' AND moved IS NULL AND (state = 'settled' OR state = 'confirmed');
            """)
}
