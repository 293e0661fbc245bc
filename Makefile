# The two commands a newcomer needs are `make demo` and `make test`; `make help` lists the rest.
# Each runs on a bare Debian 12 that has only the Swift toolchain and make: what is missing is installed first, as
# Tests/packages lists it. `make bare-test` tries that.

SWIFT ?= swift
SCRATCH ?= .build
BINARY := $(SCRATCH)/release/purser
PAST ?= 10000000
SOURCES := Sources Tests Package.swift
BARE ?= /var/tmp

.DEFAULT_GOAL := help
.PHONY: help build release demo test unit kills soak neighbours smuggle torture model interop lint format bench bench-proxy bench-ledger bench-gate fuzz bare-test install
.PHONY: deps deps-test deps-soak deps-model deps-interop deps-bench deps-bare

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps:
	@command -v $(firstword $(SWIFT)) >/dev/null || { echo "there is no $(SWIFT) here: see https://www.swift.org/install/linux/"; exit 1; }
	@Tests/install-packages build

deps-test: deps
	@Tests/install-packages test

deps-soak: deps-test
	@Tests/install-packages soak

deps-model:
	@Tests/install-packages model

deps-interop: deps-test
	@Tests/install-packages interop

deps-bench: deps
	@Tests/install-packages bench

deps-bare:
	@[ "$$(id -u)" = 0 ] || { echo "bare-test needs root, to mount and to add a user: sudo env PATH=\"\$$PATH\" make bare-test"; exit 1; }
	@Tests/install-packages bare

build: deps ## debug build
	$(SWIFT) build --scratch-path "$(SCRATCH)"

release: deps ## release build: .build/release/purser
	$(SWIFT) build -c release --product purser --scratch-path "$(SCRATCH)"

demo: release ## the main job on the embedded simulator, told step by step
	@"$(BINARY)" demo --state "$(SCRATCH)/demo"

test: unit model kills neighbours soak smuggle interop ## all tests: unit, end to end, the model, kills, hostile neighbours, faults, malformed requests, the official SDK on a real EVM

# One test at a time: some wait for other programs, and on two cores they would hold up those that watch the clock.
unit: deps-test ## unit and end-to-end tests
	$(SWIFT) test --no-parallel --scratch-path "$(SCRATCH)"

model: deps-model ## the payment lifecycle, searched exhaustively
	Specs/lifecycle/check

kills: build deps-test ## 200 kills of the daemon under load; what left it must be in the books
	Tests/Torture/kill --purser "$(SCRATCH)/debug/purser" --kills 200

soak: build deps-soak ## half a minute of load over a network that fails, then wrk beside 200 slow clients
	Tests/Torture/soak --purser "$(SCRATCH)/debug/purser" --seconds 25 --rate 40
	Tests/Torture/load --purser "$(SCRATCH)/debug/purser"

neighbours: build deps-test ## an honest agent beside attackers, each for a moment; what is counted has to be right
	Tests/Torture/neighbours --purser "$(SCRATCH)/debug/purser"

smuggle: build deps-soak ## a few thousand malformed requests into node, nginx and a lenient server; none may smuggle another
	Tests/Torture/smuggle --purser "$(SCRATCH)/debug/purser" --requests 4000

torture: build release deps-soak ## the same for longer: KILLS kills (2500), NEIGHBOURS seconds for each attack (10), SOAK seconds of load (3600)
	Tests/Torture/kill --purser "$(SCRATCH)/debug/purser" --kills $(or $(KILLS),2500)
	Tests/Torture/neighbours --purser "$(BINARY)" --seconds $(or $(NEIGHBOURS),10)
	Tests/Torture/soak --purser "$(BINARY)" --seconds $(or $(SOAK),3600)
	Tests/Torture/load --purser "$(BINARY)"
	Tests/Torture/smuggle --purser "$(BINARY)" --requests $(or $(SMUGGLE),1000000)

interop: build deps-interop ## the official x402 SDK as seller, a real EVM as judge; hledger and Beancount as readers
	Tests/Interop/run --purser "$(SCRATCH)/debug/purser"
	SWIFT="$(SWIFT)" SCRATCH="$(SCRATCH)" Tests/Interop/accounting/run

lint: ## formatting and style, strict
	$(SWIFT) format lint --strict --recursive $(SOURCES)

format: ## format everything in place
	$(SWIFT) format --in-place --recursive $(SOURCES)

bench: bench-proxy bench-ledger bench-gate ## the measurements below

bench-proxy: release deps-bench ## CPU, rate, latency and memory beside nginx and haproxy, in one run
	@Tests/Benchmarks/bench --purser "$(BINARY)" --sdk "$(SCRATCH)/interop-venv/bin/python"
	@Tests/Benchmarks/connections --purser "$(BINARY)"

# The books with a past take about 17 GB while they are measured, and four minutes to fill.
bench-ledger: deps ## durable payments beside the disk's own commits, and with 10 million past payments
	$(SWIFT) build -c release --product ledger-bench --scratch-path "$(SCRATCH)"
	@"$(SCRATCH)/release/ledger-bench" --past $(PAST) --folder "$(SCRATCH)"

bench-gate: deps ## CPU of one payment from challenge to header, by method and step
	$(SWIFT) build -c release --product gate-bench --scratch-path "$(SCRATCH)"
	@"$(SCRATCH)/release/gate-bench" --vectors Specs/vectors/x402-vectors.json

# Built apart, for coverage is compiled in; libFuzzer's own entry point gives way to ours.
fuzz: deps ## the readers of hostile input, fuzzed for SECONDS in all, by default ten minutes
	PURSER_FUZZ=1 $(SWIFT) build -c release --product fuzzers --scratch-path "$(SCRATCH)"/fuzz -Xswiftc -sanitize=fuzzer \
		-Xswiftc -use-ld=lld -Xlinker --allow-multiple-definition
	Tests/Fuzzing/fuzz "$(SCRATCH)/fuzz/release/fuzzers" "$(SCRATCH)/fuzz" $(or $(SECONDS),600)

# Takes half an hour, needs root, and reaches Debian's packages and PyPI with this machine's settings. BARE: where it works.
bare-test: deps-bare ## the two commands of README in a fresh minimal Debian 12, before a release
	Tests/Bare/run "$(BARE)"

install: release ## install to $(PREFIX)/bin
	install -D -m 755 "$(BINARY)" "$(DESTDIR)$(or $(PREFIX),/usr/local)/bin/purser"
