extension Configuration {
    /// The commented file that `init` writes: it works as it stands once the credentials it names are there.
    package static let example = """
        # Purser's configuration. `purser config check` says what it means and what is wrong with it.
        # Relative paths are relative to this file's folder. The daemon reads it when it starts, and again at `purser config
        # reload` or SIGHUP: gateways, connections, peers, hosts, forward and what the files of TLS listeners hold change then,
        # the rest at the next start. Agents, their tokens and caps are not in here: they are set with `purser agent` and
        # `purser cap` and hold from the next request.

        # Where agents connect to: one place or a list. Keep addresses on loopback unless the line to the agents is private.
        #   unix:PATH, or { unix: PATH, mode: 0660 }    a socket for the daemon's user (0600), or its group too (0660)
        #   systemd, or systemd:NAME                    the sockets that systemd passes, all or by FileDescriptorName=
        #   { tls: 0.0.0.0:4443, certificate: listener.pem, key: listener.key, client-ca: clients.pem }
        #                                               an address where TLS is spoken and agents show certificates: `key` may
        #                                               stand in the file of `certificate`, and without `client-ca` those count
        #                                               that `purser ca client` has made
        listen: 127.0.0.1:4020

        # How many connections agents may have, together and each. A quarter of `total` is for connections on which nobody has
        # shown a token yet: where it is full, the oldest of them is closed. The rest is divided like everything that agents
        # share: each agent with a request in the last minute has the same share, idle units are lent but for the last
        # quarter, and what was lent to a connection or request without progress for 10s is taken back when its share is
        # needed. `purser status` shows who holds what.
        # connections: { total: 16384, per-agent: 8192 }

        # Who needs no token at a Unix socket: the kernel says which user and group a program runs as. And at a TLS listener:
        # by the SHA-256 of the certificate, or by a name in it (dns, uri, email).
        # peers: { "uid:1000": scout, "gid:2000": writer, "cert:dns:scout.example": scout }

        # Further names by which agents may address the proxy, besides 127.0.0.1, localhost and [::1].
        # hosts: [purser.internal]

        # The APIs that may be called: http://127.0.0.1:4020/<gateway>/<path> goes to <url>/<path>.
        #   paths             prefixes that reach the gateway without its name, so /v1/… works as a base URL of its own
        #   credential        the gateway's own key from a file (mode 0600), sent as `authorization` (Bearer) or `x-api-key`
        #   credential-methods    the methods whose requests carry that key (default GET, POST, PUT, PATCH, DELETE, HEAD and
        #                     OPTIONS): a server that answers others with the request itself would show it
        #   redirect-hosts    hosts that its redirects may point at; others are refused
        #   connect-timeout, first-byte-timeout, idle-timeout    such as 500ms, 20s, 10m or 1h (default 10s, 10m, 10m)
        #   total-timeout     how long an exchange may take in all (default: as long as it takes)
        #   max-connections   connections in use at once; further requests wait in order, for the connect-timeout at most
        #   max-idle-connections    HTTP/1.1 connections that are kept for later requests; each serves one agent alone, and
        #                     where there are too many, the oldest of whichever agent has most is closed (default 256)
        #   max-request-body  such as 512KiB or 64MiB; a longer body is refused, and nothing is paid for it
        #   max-validity      the longest time for which a payment is signed, from 10s to 1h (default 10m)
        #   max-payment       what one payment may cost at most, in dollars (default 1.00)
        #   payees            the only addresses that are paid, where some are listed
        #   new-payee         what to do when a host is paid at another address than before: alert, ask or refuse (default
        #                     alert)
        #   price-rise, higher-price    the factor above the highest price so far of the same agent, route and model that is
        #                     worth a word, and what to do then: alert, ask or refuse (default 10x, alert). A price whose model
        #                     is unknown compares with none: it is asked about or refused too
        #   trim-entry        whether an entry too long for a header of 6 KiB is echoed without members such as `outputSchema`,
        #                     for a seller that is known to compare the others only (default false: such a payment is refused)
        #   trust-partial     whether the seller's word frees what an `upto` payment did not use (default false: the chain's)
        #   sign-in           whether wallets sign in where they bought before, instead of paying again at once (default false:
        #                     it shows the seller which requests are of one wallet)
        #   sign-ins          how often an agent may sign in within an hour; after that its requests are paid (default 10)
        #   signers           who may sign its offers and receipts besides the payee: addresses, did:key, did:jwk, and
        #                     { did: "did:web:api.example", document: FILE } with a copy of the document that holds the keys
        #   profiles, spenders    vendors' variants of Permit2, `gate` or `binance`, and the contracts that they may name
        #                     (default none)
        #   stop-after-rejections    payments rejected in a row on a route after which nothing more is signed for the same
        #                     agent on that route for a while. Rejections on three routes, or rejected exposure above a tenth
        #                     of the agent's tightest dollar cap over a time window, pause the agent at the gateway, and two paused agents the gateway.
        #                     0 pauses nothing (default 3)
        #   repeat-after-failure    for how long the same request is not paid again after a paid answer that was a failure (4xx
        #                     other than 402, or 5xx) or that the agent broke off: the same payment is sent instead; 0 pays
        #                     again at once (default 60s)
        #   unproven          what becomes of payments without proof when their time has passed: `hold` counts them as spent,
        #                     `release-at-expiry` stops counting them, and then caps are not proven (default hold)
        #   billing           `x402`, or `prepaid`: the key's own balance pays, and each call counts against caps such as
        #                     `day=1000payments` before it is made (default x402)
        #   learned-price     who pays with the first request where the same was asked and settled three times in a row:
        #                     `asked`, agents that send `Purser-Price: learned`, `always`, all, or `never` (default asked)
        #   http2             whether HTTP/2 is spoken where its TLS offers it, many requests to a connection (default true)
        #   upgrades          whether requests may switch to another protocol, such as WebSocket (default true, and false for
        #                     `prepaid`: there each WebSocket message of an agent counts as a call where it is true)
        # Plain http is accepted on loopback only.
        gateways:
          lab: { url: http://127.0.0.1:8402, connect-timeout: 5s, first-byte-timeout: 20s, idle-timeout: 60s }
          # gaterouter: { url: https://api.gaterouter.ai/openai, paths: [/v1/], credential: { file: gaterouter.key, header: authorization } }
          # prepaid: { url: https://api.example/v1, credential: { file: example.key }, billing: prepaid }
          # gaterouter-anthropic: { url: https://api.gaterouter.ai/anthropic, credential: { file: gaterouter.key, header: x-api-key } }

        # The keys that sign. A wallet pays only for what its `pay` list names (network/symbol or network/address), in
        # that order of preference; an empty list pays nothing. The passphrase comes from a file (mode 0600), or with
        # `passphrase-credential: NAME` from systemd. `sponsored-approvals` names the tokens for which a seller's facilitator
        # may be given an approval of Permit2 without a limit, once, when the wallet lacks one.
        wallets:
          main: { keystore: wallets/main.json, passphrase-file: main.pass, pay: ["eip155:42161/USDT"] }

        # The policy is a file of its own, policy.yaml. Once payments were decided by one, a daemon does not start or reload
        # without it, unless this line says that it is meant:
        # policy: none

        # Rows added to the pinned table of tokens. `name` and `version` are the token's EIP-712 domain, `usd` is what one
        # whole token counts for in caps. A `permit2` row has no domain of its own.
        # assets:
        #   - { network: "eip155:42161", address: "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9", symbol: USDT, decimals: 6, name: "USD₮0", version: "1", transfer: eip3009, usd: "1.00" }

        # What agents may reach through the forward proxy (HTTP_PROXY, HTTPS_PROXY) besides the gateways: hosts by `house`,
        # `team:NAME` and `agent:NAME`, each with `:port`, `:*` or for ports 80 and 443; `addresses` may be dialled although
        # they are not public. The TLS of `terminate` is ended here by an authority that `purser ca init` makes, so that
        # programs that trust it can pay.
        # forward:
        #   hosts: { house: ["*.pypi.org", "api.example:8443"], "agent:scout": ["github.com"] }
        #   addresses: ["10.1.0.0/16"]
        #   terminate: ["api.gaterouter.ai"]

        # Latencies and counts for Prometheus, at GET /metrics of a loopback address.
        # metrics: 127.0.0.1:9402

        # Chains on which the fate of unproven payments is read every half minute, 1 to 8 endpoints each. `agree` says how many
        # of them have to say the same: all (the default), or majority, which is more than half. A single one is believed.
        # On these networks nothing is presumed: payments stay open until a final block proves that they were taken or never
        # can be. `finality` is finalized, safe or a number of confirmations; `blocks-per-second` (20) is the most that the
        # chain makes. `spenders` lists contracts besides Permit2 that `purser wallet approve` may give allowances to.
        # chains:
        #   "eip155:42161": { rpc: ["https://arb1.example/key", "https://arbitrum.example"], agree: all, finality: finalized }

        # Certificate authorities (PEM) that are trusted besides the system's.
        # trust-file: ca.pem

        # How much of request bodies is kept for the paid repetition: in memory and at all for one request, and in
        # memory for all requests together.
        # replay: { memory: 1MiB, per-request: 64MiB, total: 256MiB }

        # How much of longer bodies is kept on the disk for all requests together, and where: a folder that only the daemon's
        # user can write to (default `spool` beside this file). 1 GiB of its disk always stays free.
        # spool: { total: 4GiB, path: /var/tmp/purser-spool }

        # How much of paid answers is kept in memory, for an agent that disconnects before it has the whole answer and then
        # sends the same request again: of one answer, of all together (an agent's oldest is dropped first), and for how long.
        # kept-answers: { each: 1MiB, total: 64MiB, time: 60s }

        # How many prices are learned (see `learned-price`), at most 2 KiB each, and how many payments may wait for their turn
        # to send an approval of Permit2 from one account, all agents together.
        # learned-prices: { total: 1024 }
        # approval-turns: { total: 8 }

        # trace, debug, info, notice, warning, error or critical
        # log-level: info

        """
}
