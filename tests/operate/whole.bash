# whole.bash: what the tests of `dcmspool up`, and of what acts on it while it runs, share.
# shellcheck shell=bash

bats_require_minimum_version 1.5.0
load ../helper
load ../router

teardown() {
	stop_all
	kill_processes
	show_state || true # there may be no spool
}

start_and_wait() {
	start_up
	wait_for listens "$PORT"
	wait_for up_runs
}
