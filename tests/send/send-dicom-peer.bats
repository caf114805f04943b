# send-dicom-peer.bats: a peer that goes wrong at each of 14 points of the protocol in each of 7 ways, and peers
# whose answers are odd; for each the answers, the exit status (111 pauses the target) and its reason.
# bats file_tags=sender

load ../helper
load sender

@test "send-dicom: whatever a peer does wrong, and wherever: the answers, the exit status, the reason" {
	images 3 -r 64 -c 64
	diff - <(python3 "$BATS_TEST_DIRNAME/peertable.py" "$BIN/send-dicom" "$job") <<-'END'
		connected cut exit=111 stored=- failed=- the target closes the connection
		connected silence exit=111 stored=- failed=- the target does not answer in time (1 s)
		connected abort-user exit=111 stored=- failed=- the target aborts the association
		connected abort-provider exit=111 stored=- failed=- the target aborts the association: invalid PDU parameter value
		connected garbage exit=111 stored=- failed=- what the target sends is no DICOM (a PDU of type 72)
		connected huge exit=111 stored=- failed=- the target sends a PDU of 4294967295 bytes, which is too long
		connected split exit=0 stored=1,2,3 failed=-
		requested cut exit=111 stored=- failed=- the target closes the connection
		requested silence exit=111 stored=- failed=- the target does not answer in time (1 s)
		requested abort-user exit=111 stored=- failed=- the target aborts the association
		requested abort-provider exit=111 stored=- failed=- the target aborts the association: invalid PDU parameter value
		requested garbage exit=111 stored=- failed=- what the target sends is no DICOM (a PDU of type 72)
		requested huge exit=111 stored=- failed=- the target sends a PDU of 4294967295 bytes, which is too long
		requested split exit=0 stored=1,2,3 failed=-
		half-accept cut exit=111 stored=- failed=- the target closes the connection
		half-accept silence exit=111 stored=- failed=- the target does not answer in time (1 s)
		half-accept abort-user exit=111 stored=- failed=- the target does not answer in time (1 s)
		half-accept abort-provider exit=111 stored=- failed=- the target does not answer in time (1 s)
		half-accept garbage exit=111 stored=- failed=- the target does not answer in time (1 s)
		half-accept huge exit=111 stored=- failed=- the target does not answer in time (1 s)
		half-accept split exit=0 stored=1,2,3 failed=-
		accepted cut exit=111 stored=- failed=- the target closes the connection
		accepted silence exit=111 stored=- failed=- the target does not answer in time (1 s)
		accepted abort-user exit=111 stored=- failed=- the target aborts the association
		accepted abort-provider exit=111 stored=- failed=- the target aborts the association: invalid PDU parameter value
		accepted garbage exit=111 stored=- failed=- what the target sends is no DICOM (a PDU of type 72)
		accepted huge exit=111 stored=- failed=- the target sends a PDU of 4294967295 bytes, which is too long
		accepted split exit=0 stored=1,2,3 failed=-
		command cut exit=111 stored=- failed=- the target closes the connection
		command silence exit=111 stored=- failed=- the target does not answer in time (1 s)
		command abort-user exit=111 stored=- failed=- the target aborts the association
		command abort-provider exit=111 stored=- failed=- the target aborts the association: invalid PDU parameter value
		command garbage exit=111 stored=- failed=- what the target sends is no DICOM (a PDU of type 72)
		command huge exit=111 stored=- failed=- the target sends a PDU of 4294967295 bytes, which is too long
		command split exit=0 stored=1,2,3 failed=-
		data cut exit=111 stored=- failed=- the target closes the connection
		data silence exit=111 stored=- failed=- the target does not answer in time (1 s)
		data abort-user exit=111 stored=- failed=- the target aborts the association
		data abort-provider exit=111 stored=- failed=- the target aborts the association: invalid PDU parameter value
		data garbage exit=111 stored=- failed=- what the target sends is no DICOM (a PDU of type 72)
		data huge exit=111 stored=- failed=- the target sends a PDU of 4294967295 bytes, which is too long
		data split exit=0 stored=1,2,3 failed=-
		sent cut exit=111 stored=- failed=- the target closes the connection
		sent silence exit=111 stored=- failed=- the target does not answer in time (1 s)
		sent abort-user exit=111 stored=- failed=- the target aborts the association
		sent abort-provider exit=111 stored=- failed=- the target aborts the association: invalid PDU parameter value
		sent garbage exit=111 stored=- failed=- what the target sends is no DICOM (a PDU of type 72)
		sent huge exit=111 stored=- failed=- the target sends a PDU of 4294967295 bytes, which is too long
		sent split exit=0 stored=1,2,3 failed=-
		half-answer cut exit=111 stored=- failed=- the target closes the connection
		half-answer silence exit=111 stored=- failed=- the target does not answer in time (1 s)
		half-answer abort-user exit=111 stored=- failed=- the target does not answer in time (1 s)
		half-answer abort-provider exit=111 stored=- failed=- the target does not answer in time (1 s)
		half-answer garbage exit=111 stored=- failed=- the target does not answer in time (1 s)
		half-answer huge exit=111 stored=- failed=- the target does not answer in time (1 s)
		half-answer split exit=0 stored=1,2,3 failed=-
		answered cut exit=0 stored=1,2,3 failed=-
		answered silence exit=0 stored=1,2,3 failed=-
		answered abort-user exit=0 stored=1,2,3 failed=-
		answered abort-provider exit=0 stored=1,2,3 failed=-
		answered garbage exit=0 stored=1,2,3 failed=-
		answered huge exit=0 stored=1,2,3 failed=-
		answered split exit=0 stored=1,2,3 failed=-
		second-command cut exit=0 stored=1,2,3 failed=-
		second-command silence exit=0 stored=1,2,3 failed=-
		second-command abort-user exit=0 stored=1,2,3 failed=-
		second-command abort-provider exit=0 stored=1,2,3 failed=-
		second-command garbage exit=0 stored=1,2,3 failed=-
		second-command huge exit=0 stored=1,2,3 failed=-
		second-command split exit=0 stored=1,2,3 failed=-
		second-sent cut exit=0 stored=1,2,3 failed=-
		second-sent silence exit=0 stored=1,2,3 failed=-
		second-sent abort-user exit=0 stored=1,2,3 failed=-
		second-sent abort-provider exit=0 stored=1,2,3 failed=-
		second-sent garbage exit=0 stored=1,2,3 failed=-
		second-sent huge exit=0 stored=1,2,3 failed=-
		second-sent split exit=0 stored=1,2,3 failed=-
		last-answered cut exit=0 stored=1,2,3 failed=-
		last-answered silence exit=0 stored=1,2,3 failed=-
		last-answered abort-user exit=0 stored=1,2,3 failed=-
		last-answered abort-provider exit=0 stored=1,2,3 failed=-
		last-answered garbage exit=0 stored=1,2,3 failed=-
		last-answered huge exit=0 stored=1,2,3 failed=-
		last-answered split exit=0 stored=1,2,3 failed=-
		release cut exit=0 stored=1,2,3 failed=-
		release silence exit=0 stored=1,2,3 failed=-
		release abort-user exit=0 stored=1,2,3 failed=-
		release abort-provider exit=0 stored=1,2,3 failed=-
		release garbage exit=0 stored=1,2,3 failed=-
		release huge exit=0 stored=1,2,3 failed=-
		release split exit=0 stored=1,2,3 failed=-
		half-release cut exit=0 stored=1,2,3 failed=-
		half-release silence exit=0 stored=1,2,3 failed=-
		half-release abort-user exit=0 stored=1,2,3 failed=-
		half-release abort-provider exit=0 stored=1,2,3 failed=-
		half-release garbage exit=0 stored=1,2,3 failed=-
		half-release huge exit=0 stored=1,2,3 failed=-
		half-release split exit=0 stored=1,2,3 failed=-
		- other-id exit=111 stored=- failed=- the target's answer does not count: it belongs to another request
		- other-uid exit=111 stored=- failed=- the target's answer does not count: it belongs to another image
		- twice exit=0 stored=1,2,3 failed=-
		- bare exit=0 stored=1,2,3 failed=-
		- long exit=111 stored=- failed=- the target's answer is too long
		- no-status exit=111 stored=- failed=- the target's answer does not count: it has no status
		- with-data exit=111 stored=- failed=- the target's answer does not count: it announces a data set
		- other-context exit=111 stored=- failed=- the target answers with a data set or in another context
		- other-command exit=111 stored=- failed=- the target's answer does not count: it is no response to this kind of request
		- slow exit=0 stored=1,2,3 failed=-
		- fragments exit=0 stored=1,2,3 failed=-
		- never-offered exit=1 stored=- failed=1,2,3 the target accepts this SOP class in no transfer syntax that was offered: the three uncompressed ones
		- unknown-context exit=111 stored=- failed=- the target's answer to the association request is none: it answers a presentation context that was not proposed
		- all-refused exit=1 stored=- failed=1,2,3 the target accepts this SOP class in no transfer syntax that was offered: the three uncompressed ones
		- padded exit=0 stored=1,2,3 failed=-
		- release-first exit=0 stored=1,2,3 failed=-
		- comment exit=0 stored=1,2,3 failed=- warning: the target changed data elements: bad [1m name; offending element (0010,0010) (0008,0060)
	END
}
