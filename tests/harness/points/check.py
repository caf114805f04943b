"""What must be so when a world has come to rest, whatever happened in it."""
import os
import re
import subprocess

from calls import ERRNO
from world import at_rest, images, journal, names

# What begins with a dot and may stay: the cleaner's and the dispatcher's marks, the locks, the format.
KEPT = {'.told', '.probe', '.idle', '.places', '.format', '.service'}
BEING_MADE = re.compile(r'^(\.new\..*|\.fanout\.new|fanout|\.failed|\.deleting\..*|\.reading|\.corrected|\.assoc\..*|'
                        r'\.copy.*|\.dcmspool.*|.*\.part|retry\.json|paused\.json)$')


def fits(reason, fault):
    """Does the reason of a directory in error/ name the failure that was injected?"""
    return bool(fault in ERRNO and re.search(ERRNO[fault], reason, re.I))


def read(path):
    try:
        with open(path, errors='replace') as f:
            return f.read()
    except FileNotFoundError:
        return ''


def of_target(w, target):
    """The images in success/ of a target"""
    found = {}
    for job in names(w.spool, 'success'):
        if re.search(rf'\.{re.escape(target)}(~\d+)?$', job):
            for uid, many in images(f'{w.spool}/success/{job}').items():
                found.setdefault(uid, []).extend(many)
    return found


def quarantined(w):
    """{(UID, hash): [(reason, directory)]} of error/"""
    found = {}
    for directory in names(w.spool, 'error'):
        top = f'{w.spool}/error/{directory}'
        for uid, many in images(top).items():
            for digest, _ in many:
                found.setdefault((uid, digest), []).append((read(top + '/reason.txt'), directory))
    return found


def check_images(w, scenario, fault, say):
    errors, discarded = quarantined(w), images(w.spool + '/discard')
    sent = {t: of_target(w, t) for t in scenario.targets}
    there = {t: scenario.arrived(w, t) for t in scenario.targets}
    everywhere = images(w.spool)

    def explained(uid, digest, target):
        for reason, directory in errors.get((uid, digest), []):
            if uid in scenario.refused(w, target) or fits(reason, fault):
                return True
            say('stuck', f'{uid} lies in error/{directory} without need: {reason.strip()}')
            return True
        return False

    for uid, digest in w.acked.items():
        if scenario.discards:
            if [d for d, _ in discarded.get(uid, [])] != [digest] and not explained(uid, digest, ''):
                say('lost', f'{uid} is not in discard/')
            continue
        for t in scenario.targets:
            mine = [d for d, _ in sent[t].get(uid, [])]
            if mine == [digest] or (digest in mine and scenario.twice and fault != 'kill'):
                if digest not in [d for d, _ in there[t].get(uid, [])]:
                    say('false', f'{uid} lies in success/ and {t} does not have it')
            elif digest in mine:
                say('stuck', f'{uid} lies in success/ of {t} {len(mine)} times')
            elif not explained(uid, digest, t):
                where = [p for d, p in everywhere.get(uid, []) if d == digest]
                if where and not at_rest(w):
                    say('stuck', f'{uid} waits: {where}')
                else:
                    say('lost', f'{uid} for {t}: {where or "nowhere"}; success/ has {mine}')
    for uid, many in everywhere.items():
        for digest, path in many:
            if w.acked.get(uid, digest) != digest and '/error/' not in path:
                say('lost', f'{path} is not what was received')


def inside_discard(w, directory):
    return directory.startswith(w.spool + '/discard/')


def check_tree(w, scenario, fault, say):
    if not at_rest(w):
        left = [f'{d}/{n}' for d in ('receiving', 'incoming', 'routing') for n in names(w.spool, d)]
        left += [f'{d}/{t}/{n}' for d in ('outgoing', 'sending') for t in names(w.spool, d)
                 for n in names(w.spool, f'{d}/{t}')]
        say('stuck', f'is not at rest: {left}')
    for top in [w.spool] + scenario.folders(w):
        for directory, folders, files in os.walk(top):
            if '.service' in folders:
                folders.remove('.service')
            if os.path.basename(directory).startswith('.dcmspool.') and not files:
                continue  # send-folder removes what a killed run has left a day later
            for name in folders + files:
                if name.startswith('.dcmspool.') and not names(directory, name):
                    continue
                if inside_discard(w, directory) and name == 'retry.json':  # cancelled, and killed before it went
                    continue
                if BEING_MADE.match(name) or (name[0] == '.' and name not in KEPT):
                    say('stuck', f'{directory}/{name} is left')
            inside = os.path.relpath(directory, top).split('/')
            deep = 3 if inside[0] in ('outgoing', 'sending') else 2 if top == w.spool else 1
            if not folders and not files and inside != ['.'] and len(inside) >= deep:
                say('stuck', f'{directory} is empty')
    for directory in names(w.spool, 'error'):
        if not read(f'{w.spool}/error/{directory}/reason.txt').strip():
            say('stuck', f'error/{directory} has no reason')
        elif fault == 'kill' and not scenario.has_errors:
            say('stuck', f'error/{directory}: {read(f"{w.spool}/error/{directory}/reason.txt").strip()}')
    for event in journal(w):
        if event['event'] == 'unreadable':
            say('false', f'the journal has a line that is no JSON: {event["line"]}')


def check_journal(w, say):
    """A kill takes no line of evidence from it; what a failure may cost, is said instead"""
    done = subprocess.run([w.program('dcmspool-reconcile'), '-c', w.conf], capture_output=True, text=True)
    if done.returncode != 0:
        say('false', f'dcmspool reconcile exits {done.returncode}: {done.stdout}{done.stderr}')


def check(w, scenario, fault):
    def say(kind, words):
        w.wrong.append((kind, words))

    check_images(w, scenario, fault, say)
    check_tree(w, scenario, fault, say)
    if fault in ('kill', 'none') and scenario.balanced:
        check_journal(w, say)
