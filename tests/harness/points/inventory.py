"""Who attacks what: every program of bin/ has a scenario, or stands here with the reason why it needs none."""
import again
import operate
import receive
import route
import send

NO_STATE = {
    'dcmspool': 'executes a verb',
    'dcmspool-demo': 'makes a study in a directory of its own, and sends it as any sender does',
    'dcmspool-reload': 'not attacked here, as it needs all that `up` runs: it, and each program that begins anew, is '
                       'killed in tests/operate/sweep.bats; errors of single calls are not tried',
    'dcmspool-scale': 'not attacked here, as it needs all that `up` runs: it is killed at each child in '
                      'tests/operate/sweep.bats; errors of single calls are not tried',
    'dcmspool-sdnotify': 'sends a datagram to systemd; no files',
    'dcmspool-tls': 'executes stunnel, which starts dcmspool-association; no files',
}
SCENARIOS = receive.SCENARIOS + route.SCENARIOS + send.SCENARIOS + operate.SCENARIOS + again.SCENARIOS
