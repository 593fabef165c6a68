#!/bin/sh
# GitLab, 31 January 2017: it begins with spam and ends with a lost database. Run it by run.sh; README.md says where the
# facts are from. Every time is UTC.
set -eu
INC=INC-20170131-180000

incident-ops init --preset sev0-3 --by @scribe -s web=@production -s database=@databases -s webhooks=@production

incident-ops declare "Spammers create snippets: the database is unstable" --severity SEV2 -s web \
    --declared 2017-01-31T18:00:00Z --started 18:00Z --detected 18:00Z --source team
incident-ops ack $INC --at 2017-01-31T18:00:00Z
incident-ops timeline "Snapshot of the production database taken for tests of pgpool-II" $INC --at 2017-01-31T17:20:00Z \
    --kind change --action "By hand, because the one of the night was too old" --result "It will be the only usable copy"
incident-ops timeline "The load of the database rises" $INC --at 2017-01-31T19:00:00Z --kind diagnosis \
    --action "Spammers blocked; a user removed for whom 47,000 addresses had logged in" \
    --result "Part of the load was a job that deleted an employee's account, as was found out later"
incident-ops update $INC --at 2017-01-31T21:00:00Z --severity SEV1 --reason "writes are locked, comments cannot be posted"
incident-ops timeline "Writes are locked" $INC --at 2017-01-31T21:00:00Z --result "Many cannot comment on issues and merge requests"
incident-ops timeline "Paged: replication has stopped" $INC --at 2017-01-31T22:00:00Z --kind detection \
    --result "The secondary needs WAL segments that the primary has removed already"
incident-ops edit $INC --at 2017-01-31T22:00:00Z --service +database
incident-ops timeline "The secondary is to be filled anew" $INC --at 2017-01-31T23:00:00Z --kind action \
    --action "Its data removed, pg_basebackup started, max_wal_senders from 3 to 32, max_connections from 8000 to 2000" \
    --result "pg_basebackup waits and says nothing, which is normal and was not known"
incident-ops timeline "The data directory of the primary is removed instead of the secondary's" $INC \
    --at 2017-01-31T23:27:00Z --kind change --action "Stopped after a second or two" \
    --result "Of about 300 GB, 4.5 GB are left" --mark diagnosed
incident-ops update $INC --at 2017-01-31T23:27:00Z --severity SEV0 --reason "the production database is lost"
incident-ops edit $INC --at 2017-01-31T23:27:00Z --title "GitLab.com is down: its production database was removed" \
    --service +webhooks
incident-ops timeline "The database is back, without webhooks" $INC --at 2017-02-01T17:00:00Z --kind action --mark mitigated \
    --action "The snapshot of 17:20 copied back from staging, which took about 18 hours" \
    --result "No other copy was usable: no dumps, no disk snapshots, an empty secondary"
incident-ops timeline "Webhooks are back, and everything works as expected" $INC --at 2017-02-01T18:00:00Z \
    --kind status --mark verified
incident-ops resolve $INC --at 2017-02-01T18:00:00Z --restored now --cause database \
    --what "The data of the primary database was removed" \
    --why "The command meant for the secondary ran on the primary, and no backup was usable"

incident-ops impact $INC --users unknown --failed-requests unknown --revenue unknown \
    --summary "GitLab.com was down. Repositories and wikis could not be reached and were not lost." \
    --data-loss "Changes of 17:20 to 00:00: about 5,000 projects, 5,000 comments, 700 new accounts; no repositories" \
    --qualitative "The notes were public as they were written" \
    --qualitative "About 5,000 people at a time watched the recovery on YouTube" \
    --service "web:degraded:2017-01-31T18:00:00Z..21:00Z" --service "web:partial:2017-01-31T21:00:00Z..23:27Z" \
    --service "web:major:2017-01-31T23:27:00Z..2017-02-01T17:00:00Z" \
    --service "database:major:2017-01-31T23:27:00Z..2017-02-01T17:00:00Z" \
    --service "webhooks:major:2017-01-31T23:27:00Z..2017-02-01T18:00:00Z"
incident-ops cause $INC --where "db1, taken for db2" \
    --trigger "Replication had stopped, and the secondary had to be filled anew by hand" \
    --contributing "Spam, and a job that deleted an employee's account, raised the load" \
    --contributing "A report of abuse could delete an account with all its data before anybody had looked closely" \
    --contributing "WAL segments were not archived" \
    --contributing "pg_basebackup waits without a word, and neither runbook nor manual said so" \
    --contributing "max_connections was 8000, far too high, for almost a year" \
    --contributing "pg_dump 9.2 refused a database of PostgreSQL 9.6, so there were no dumps" \
    --contributing "Mail about failed backups was rejected, because it was not signed for DMARC" \
    --contributing "Disk snapshots were on for file servers and off for database servers" \
    --contributing "Backups had no owner, and were not tested by restoring them" \
    --contributing "The copy came from staging, whose disks were limited to about 60 Mbps to save money" \
    --why-chain "Why was GitLab.com down?=The data directory of the primary was removed instead of the secondary's" \
    --why-chain "Why was a directory removed?=Replication had stopped, and a secondary is filled anew from empty" \
    --why-chain "Why had replication stopped?=The load was so high that the primary removed WAL segments too early" \
    --why-chain "Why was the load so high?=Spam, and a job that deleted an employee's account" \
    --why-chain "Why was that account deleted?=A troll had reported it, and a report of abuse was enough to delete an account with its data" \
    --immediate "The database restored from the snapshot of 17:20; sequences raised by 100,000, so that no id comes twice" \
    --deployed 2017-02-01T18:00:00Z

incident-ops action add "Show on every prompt which host and environment it is (#1094)" $INC --kind preventative
incident-ops action add "Monitor backups with Prometheus (#1095)" $INC --kind detective
incident-ops action add "Set max_connections to a sane value (#1096)" $INC --kind corrective
incident-ops action add "Look into point-in-time recovery and continuous archiving (#1097)" $INC --kind corrective
incident-ops action add "Hourly snapshots of the production databases (#1098)" $INC --kind corrective
incident-ops action add "Disk snapshots of the production databases (#1099)" $INC --kind corrective
incident-ops action add "Move staging to faster disks (#1100)" $INC --kind corrective
incident-ops action add "Get the production replicas back (#1101)" $INC --kind corrective
incident-ops action add "Test by itself that backups can be restored (#1102)" $INC --kind detective
incident-ops action add "Better documentation of replication (#1103)" $INC --kind documentation
incident-ops action add "Look into pgbarman for backups (#1105)" $INC --kind corrective
incident-ops action add "Name an owner of data durability (#1163)" $INC --kind preventative
incident-ops action add "Do not delete users for good because of spam (#27581)" $INC --kind preventative

incident-ops edit $INC --tag postgresql --tag backup --tag spam \
    --link "Postmortem=https://about.gitlab.com/blog/2017/02/10/postmortem-of-database-outage-of-january-31/" \
    --link "Notes of the night=https://about.gitlab.com/blog/2017/02/01/gitlab-dot-com-database-incident/"

cat > settings.diff <<'END'
-max_connections = 8000
+max_connections = 2000
-max_wal_senders = 3
+max_wal_senders = 32
END
incident-ops cause $INC --snippet settings.diff --language diff \
    --caption "What was changed at 23:00 so that pg_basebackup could start"

cat > narrative.md <<'END'
# The two servers

GitLab.com had one PostgreSQL primary, `db1`, and one secondary, `db2`, which was there to take over and served nothing.
A secondary follows by reading the WAL segments of the primary. Under high load the primary removes segments
before the secondary has read them. Then replication stops for good, and the secondary has to be filled anew: its data
directory is emptied, and `pg_basebackup` copies the primary.

# The half hour before midnight

`pg_basebackup` did not start: first there were too few WAL senders, then PostgreSQL refused to start with 8000
connections. With both settings changed it started and printed nothing. It was waiting for the primary to begin,
which is normal; at the terminal it looked like one more failure.

Perhaps an earlier attempt had left files in the data directory. The command to remove it was meant for `db2`, and the
terminal was that of `db1`: two names that differ by one digit.

# The ways back, one by one

| way back | how it was meant | what there was that night |
| --- | --- | --- |
| dumps by `pg_dump` | once a day, to S3 | nothing: version 9.2 of the program refused a database of version 9.6 |
| mail when a dump fails | somebody looks after it | rejected, because it was not signed for DMARC |
| disk snapshots in Azure | for the file servers | nothing: not switched on for database servers |
| the secondary | takes over from the primary | emptied half an hour before |
| LVM snapshot for staging | once a day | one of 17:20, taken by hand for another reason |

So about six hours of changes were lost and not 24, and that was chance.

# The copy

The snapshot lay on staging, whose disks were slow on purpose, to save money. Copying it back took about
18 hours. A copy for staging leaves the webhooks out; they came back an hour after everything else.
END
incident-ops postmortem new $INC --narrative narrative.md \
    --summary "While replication was being repaired, the data directory of the production database was removed instead of \
the secondary's. None of the backups was usable, so GitLab.com was restored from a snapshot six hours old, which had been \
taken by hand for something else." \
    --public-summary "GitLab.com was down from 23:27 UTC on 31 January 2017 until 17:00 the next day, and webhooks an hour \
longer. Changes of about six hours to projects, comments and accounts are lost; repositories and wikis are not." \
    --well "The removal was noticed and stopped after a second or two" \
    --well "Everybody could read the notes and watch the recovery as it happened" \
    --well "Sequences were raised, so that nothing new got the id of something that was lost" \
    --poorly "Dumps, disk snapshots, the secondary: none of them could give the data back" \
    --poorly "Nothing on the screen told the two servers apart clearly enough" \
    --poorly "Backups had failed without anybody hearing of it" \
    --poorly "The way back led over slow disks and took about 18 hours" \
    --lucky "A snapshot had been taken by hand six hours before, and not 24" \
    --lesson "technical=A backup is one once it has been restored" \
    --lesson "technical=A warning that is sent by mail can fail as quietly as what it warns of" \
    --lesson "process=Backups need an owner" \
    --lesson "process=A repair that is rare needs a runbook that says what is normal on the way" \
    --conclusion "Losing data of our users is not acceptable, and we are sorry. The issues behind the action items are public, \
and so are the notes of that night."
