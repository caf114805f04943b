"""Who attacks what: every program of bin/ has a scenario, or stands here with the reason why it needs none."""
import operate
import receive
import route
import send

NO_STATE = {
    'dcmspool': 'executes a verb',
    'dcmspool-demo': 'makes a study in a directory of its own, and sends it as any sender does',
}
SCENARIOS = receive.SCENARIOS + route.SCENARIOS + send.SCENARIOS + operate.SCENARIOS
