# send-dicom-peer.bats: a peer that goes wrong at each of 14 points of the protocol in each of 7 ways, and peers
# whose answers are odd; for each the answers, the exit status (111 pauses the target) and its reason.
# bats file_tags=sender

load ../helper
load sender

@test "send-dicom: whatever a peer does wrong, and wherever: the answers, the exit status, the reason" {
	images 3 -r 64 -c 64
	diff - <(python3 "$BATS_TEST_DIRNAME/peertable.py" "$BIN/send-dicom" "$job") <<-'END'
		connected cut exit=111 stored=- failed=- doubt=- the target closes the connection
		connected silence exit=111 stored=- failed=- doubt=- the target does not answer in time (1 s)
		connected abort-user exit=111 stored=- failed=- doubt=- the target aborts the association
		connected abort-provider exit=111 stored=- failed=- doubt=- the target aborts the association: invalid PDU parameter value
		connected garbage exit=111 stored=- failed=- doubt=- what the target sends is no DICOM (a PDU of type 72)
		connected huge exit=111 stored=- failed=- doubt=- the target sends a PDU of 4294967295 bytes, which is too long
		connected split exit=0 stored=1,2,3 failed=- doubt=-
		requested cut exit=111 stored=- failed=- doubt=- the target closes the connection
		requested silence exit=111 stored=- failed=- doubt=- the target does not answer in time (1 s)
		requested abort-user exit=111 stored=- failed=- doubt=- the target aborts the association
		requested abort-provider exit=111 stored=- failed=- doubt=- the target aborts the association: invalid PDU parameter value
		requested garbage exit=111 stored=- failed=- doubt=- what the target sends is no DICOM (a PDU of type 72)
		requested huge exit=111 stored=- failed=- doubt=- the target sends a PDU of 4294967295 bytes, which is too long
		requested split exit=0 stored=1,2,3 failed=- doubt=-
		half-accept cut exit=111 stored=- failed=- doubt=- the target closes the connection
		half-accept silence exit=111 stored=- failed=- doubt=- the target does not answer in time (1 s)
		half-accept abort-user exit=111 stored=- failed=- doubt=- the target does not answer in time (1 s)
		half-accept abort-provider exit=111 stored=- failed=- doubt=- the target does not answer in time (1 s)
		half-accept garbage exit=111 stored=- failed=- doubt=- the target does not answer in time (1 s)
		half-accept huge exit=111 stored=- failed=- doubt=- the target does not answer in time (1 s)
		half-accept split exit=0 stored=1,2,3 failed=- doubt=-
		accepted cut failed=- stored or doubt=none or the first
		accepted silence failed=- stored or doubt=none or the first
		accepted abort-user failed=- stored or doubt=none or the first
		accepted abort-provider failed=- stored or doubt=none or the first
		accepted garbage failed=- stored or doubt=none or the first
		accepted huge failed=- stored or doubt=none or the first
		accepted split exit=0 stored=1,2,3 failed=- doubt=-
		command cut exit=111 stored=- failed=- doubt=1 the target closes the connection
		command silence exit=111 stored=- failed=- doubt=1 the target does not answer in time (1 s)
		command abort-user exit=111 stored=- failed=- doubt=1 the target aborts the association
		command abort-provider exit=111 stored=- failed=- doubt=1 the target aborts the association: invalid PDU parameter value
		command garbage exit=111 stored=- failed=- doubt=1 what the target sends is no DICOM (a PDU of type 72)
		command huge exit=111 stored=- failed=- doubt=1 the target sends a PDU of 4294967295 bytes, which is too long
		command split exit=0 stored=1,2,3 failed=- doubt=-
		data cut exit=111 stored=- failed=- doubt=1 the target closes the connection
		data silence exit=111 stored=- failed=- doubt=1 the target does not answer in time (1 s)
		data abort-user exit=111 stored=- failed=- doubt=1 the target aborts the association
		data abort-provider exit=111 stored=- failed=- doubt=1 the target aborts the association: invalid PDU parameter value
		data garbage exit=111 stored=- failed=- doubt=1 what the target sends is no DICOM (a PDU of type 72)
		data huge exit=111 stored=- failed=- doubt=1 the target sends a PDU of 4294967295 bytes, which is too long
		data split exit=0 stored=1,2,3 failed=- doubt=-
		sent cut exit=111 stored=- failed=- doubt=1 the target closes the connection
		sent silence exit=111 stored=- failed=- doubt=1 the target does not answer in time (1 s)
		sent abort-user exit=111 stored=- failed=- doubt=1 the target aborts the association
		sent abort-provider exit=111 stored=- failed=- doubt=1 the target aborts the association: invalid PDU parameter value
		sent garbage exit=111 stored=- failed=- doubt=1 what the target sends is no DICOM (a PDU of type 72)
		sent huge exit=111 stored=- failed=- doubt=1 the target sends a PDU of 4294967295 bytes, which is too long
		sent split exit=0 stored=1,2,3 failed=- doubt=-
		half-answer cut exit=111 stored=- failed=- doubt=1 the target closes the connection
		half-answer silence exit=111 stored=- failed=- doubt=1 the target does not answer in time (1 s)
		half-answer abort-user exit=111 stored=- failed=- doubt=1 the target does not answer in time (1 s)
		half-answer abort-provider exit=111 stored=- failed=- doubt=1 the target does not answer in time (1 s)
		half-answer garbage exit=111 stored=- failed=- doubt=1 the target does not answer in time (1 s)
		half-answer huge exit=111 stored=- failed=- doubt=1 the target does not answer in time (1 s)
		half-answer split exit=0 stored=1,2,3 failed=- doubt=-
		answered cut failed=- stored or doubt=1,2,3
		answered silence failed=- stored or doubt=1,2,3
		answered abort-user failed=- stored or doubt=1,2,3
		answered abort-provider failed=- stored or doubt=1,2,3
		answered garbage failed=- stored or doubt=1,2,3
		answered huge failed=- stored or doubt=1,2,3
		answered split exit=0 stored=1,2,3 failed=- doubt=-
		second-command cut exit=111 stored=1,3 failed=- doubt=2 the target closes the connection
		second-command silence exit=111 stored=1,3 failed=- doubt=2 the target does not answer in time (1 s)
		second-command abort-user exit=111 stored=1,3 failed=- doubt=2 the target aborts the association
		second-command abort-provider exit=111 stored=1,3 failed=- doubt=2 the target aborts the association: invalid PDU parameter value
		second-command garbage exit=111 stored=1,3 failed=- doubt=2 what the target sends is no DICOM (a PDU of type 72)
		second-command huge exit=111 stored=1,3 failed=- doubt=2 the target sends a PDU of 4294967295 bytes, which is too long
		second-command split exit=0 stored=1,2,3 failed=- doubt=-
		second-sent cut exit=111 stored=1,3 failed=- doubt=2 the target closes the connection
		second-sent silence exit=111 stored=1,3 failed=- doubt=2 the target does not answer in time (1 s)
		second-sent abort-user exit=111 stored=1,3 failed=- doubt=2 the target aborts the association
		second-sent abort-provider exit=111 stored=1,3 failed=- doubt=2 the target aborts the association: invalid PDU parameter value
		second-sent garbage exit=111 stored=1,3 failed=- doubt=2 what the target sends is no DICOM (a PDU of type 72)
		second-sent huge exit=111 stored=1,3 failed=- doubt=2 the target sends a PDU of 4294967295 bytes, which is too long
		second-sent split exit=0 stored=1,2,3 failed=- doubt=-
		last-answered cut exit=0 stored=1,2,3 failed=- doubt=-
		last-answered silence exit=0 stored=1,2,3 failed=- doubt=-
		last-answered abort-user exit=0 stored=1,2,3 failed=- doubt=-
		last-answered abort-provider exit=0 stored=1,2,3 failed=- doubt=-
		last-answered garbage exit=0 stored=1,2,3 failed=- doubt=-
		last-answered huge exit=0 stored=1,2,3 failed=- doubt=-
		last-answered split exit=0 stored=1,2,3 failed=- doubt=-
		release cut exit=0 stored=1,2,3 failed=- doubt=-
		release silence exit=0 stored=1,2,3 failed=- doubt=-
		release abort-user exit=0 stored=1,2,3 failed=- doubt=-
		release abort-provider exit=0 stored=1,2,3 failed=- doubt=-
		release garbage exit=0 stored=1,2,3 failed=- doubt=-
		release huge exit=0 stored=1,2,3 failed=- doubt=-
		release split exit=0 stored=1,2,3 failed=- doubt=-
		half-release cut exit=0 stored=1,2,3 failed=- doubt=-
		half-release silence exit=0 stored=1,2,3 failed=- doubt=-
		half-release abort-user exit=0 stored=1,2,3 failed=- doubt=-
		half-release abort-provider exit=0 stored=1,2,3 failed=- doubt=-
		half-release garbage exit=0 stored=1,2,3 failed=- doubt=-
		half-release huge exit=0 stored=1,2,3 failed=- doubt=-
		half-release split exit=0 stored=1,2,3 failed=- doubt=-
		- other-id exit=111 stored=- failed=- doubt=1 the target's answer does not count: it belongs to another request
		- other-uid exit=111 stored=- failed=- doubt=1 the target's answer does not count: it belongs to another image
		- twice exit=0 stored=1,2,3 failed=- doubt=-
		- bare exit=0 stored=1,2,3 failed=- doubt=-
		- long exit=111 stored=- failed=- doubt=1 the target's answer is too long
		- no-status exit=111 stored=- failed=- doubt=1 the target's answer does not count: it has no status
		- with-data exit=111 stored=- failed=- doubt=1 the target's answer does not count: it announces a data set
		- other-context exit=111 stored=- failed=- doubt=1 the target answers with a data set or in another context
		- other-command exit=111 stored=- failed=- doubt=1 the target's answer does not count: it is no response to this kind of request
		- slow exit=0 stored=1,2,3 failed=- doubt=-
		- fragments exit=0 stored=1,2,3 failed=- doubt=-
		- never-offered exit=1 stored=- failed=1,2,3 doubt=- the target accepts this SOP class in no transfer syntax that was offered: the three uncompressed ones
		- unknown-context exit=111 stored=- failed=- doubt=- the target's answer to the association request is none: it answers a presentation context that was not proposed
		- all-refused exit=1 stored=- failed=1,2,3 doubt=- the target accepts this SOP class in no transfer syntax that was offered: the three uncompressed ones
		- padded exit=0 stored=1,2,3 failed=- doubt=-
		- release-first exit=111 stored=1,3 failed=- doubt=2 the target releases the association
		- comment exit=0 stored=1,2,3 failed=- doubt=- warning: the target changed data elements: bad [1m name; offending element (0010,0010) (0008,0060)
		- other-application exit=111 stored=- failed=- doubt=- the target's answer to the association request is none: it is of another application context
		- status-twice exit=111 stored=- failed=- doubt=1 the target's answer does not count: its elements are not in the order of their tags
		- status-long exit=111 stored=- failed=- doubt=1 the target's answer does not count: a number in it is not of two bytes
		- release-both exit=0 stored=1,2,3 failed=- doubt=- our request is answered
		- late-data exit=0 stored=1,2,3 failed=- doubt=-
	END
}

@test "send-dicom: success before the image was sent to its end does not count, a refusal does" {
	images 3 -r 3000 -c 3000 # more than the kernel takes at once
	diff - <(python3 "$BATS_TEST_DIRNAME/peertable.py" "$BIN/send-dicom" "$job" early early-refusal) <<-'END'
		- early exit=111 stored=- failed=- doubt=1 the target's answer does not count: it came before the image was sent to its end
		- early-refusal exit=1 stored=- failed=1,2,3 doubt=- refused: the target is out of resources
	END
}
