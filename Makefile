# make help lists the targets. CI runs the same commands by .ci/run.

GO         ?= go
TAGS       ?= synctests
PKG        ?= ./...
FUZZTIME   ?= 10s
BENCH      ?= .
STATICCHECK = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI    = $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: ## run the tests (PKG=./data/... for some)
	$(GO) test -tags '$(TAGS)' $(PKG)

.PHONY: race
race: ## run the tests in random order under the race detector
	$(GO) test -race -shuffle=on -tags '$(TAGS)' $(PKG)

.PHONY: chaos
chaos: ## break clusters of workers in bubbles (CHAOS_ROUNDS=100 for fewer rounds than 1000)
	.ci/run chaos

.PHONY: cover
cover: ## run the tests and show the coverage of each package
	$(GO) test -cover -tags '$(TAGS)' $(PKG)

.PHONY: integration
integration: ## run the tests against real servers (Java and Maven needed)
	TESTENV=require .ci/run integration

.PHONY: fmt
fmt: ## format the code
	$(GO) fmt ./...

.PHONY: vet
vet: ## run go vet
	$(GO) vet -tags '$(TAGS) integration' $(PKG)

.PHONY: staticcheck
staticcheck: ## run staticcheck (configured in staticcheck.conf)
	$(STATICCHECK) -tags '$(TAGS),integration' $(PKG)

.PHONY: lint
lint: vet staticcheck ## run vet, staticcheck and the tests of the architecture
	$(GO) test ./internal/archtest

.PHONY: advice
advice: ## run the many linters of .golangci.yml (the first run builds them, which takes minutes)
	$(GOLANGCI) run $(PKG)

.PHONY: bench
bench: ## run the benchmarks (BENCH=name PKG=./data for some)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -tags '$(TAGS)' $(PKG)

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME
	FUZZTIME=$(FUZZTIME) .ci/run fuzz

.PHONY: generate
generate: ## write the generated files anew
	$(GO) generate ./...

.PHONY: quickstart
quickstart: ## move the lines of a file through a broker in the process, until Ctrl-C
	$(GO) run ./cmd/connect dev --data examples/quickstart/data examples/quickstart/file-source.json examples/quickstart/file-sink.json

.PHONY: verify
verify: ## run all that CI runs
	.ci/run
