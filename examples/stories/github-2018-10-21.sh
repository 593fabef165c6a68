#!/bin/sh
# GitHub, 21 October 2018: 43 seconds without a network, then 24 hours and 11 minutes. Run it by run.sh; README.md says
# where the facts are from. Every time is UTC.
set -eu
INC=INC-20181021-230900

incident-ops init --preset sev0-3 --by @scribe -s site=@application -s mysql=@databases -s webhooks=@events -s pages=@pages

incident-ops declare "Pages show old data, and many cannot be changed" --severity SEV0 -s mysql -s site \
    --declared 2018-10-21T23:09:00Z --started 22:52Z --detected 22:54Z --source alert \
    --description "Several database clusters have their primaries in another region."
incident-ops ack $INC --at 2018-10-21T23:11:00Z

incident-ops timeline "43 seconds without a connection between hub and data center" $INC --at 2018-10-21T22:52:00Z \
    --kind change --action "Failing 100G optics replaced" \
    --result "Orchestrator moves the primaries to the West Coast, and applications write there"
incident-ops timeline "Alerts from many systems" $INC --at 2018-10-21T22:54:00Z --kind detection
incident-ops timeline "The clusters are not as they should be" $INC --at 2018-10-21T23:02:00Z --kind diagnosis \
    --result "The topology has West Coast servers only" --mark diagnosed
incident-ops timeline "Deploys locked by hand" $INC --at 2018-10-21T23:07:00Z --kind action
incident-ops update $INC --at 2018-10-21T23:09:00Z --status investigating --public "Status yellow: we are looking into errors."
incident-ops timeline "The incident coordinator joins" $INC --at 2018-10-21T23:11:00Z --kind escalation
incident-ops update $INC --at 2018-10-21T23:13:00Z --public "Status red."
incident-ops timeline "More engineers of the database team paged" $INC --at 2018-10-21T23:13:00Z --kind escalation \
    --result "Both coasts hold writes that the other lacks: nobody can simply go back"
incident-ops edit $INC --at 2018-10-21T23:19:00Z --service +webhooks --service +pages
incident-ops timeline "Webhooks and Pages builds paused" $INC --at 2018-10-21T23:19:00Z --kind decision \
    --action "The data of users comes before availability and a quick end"
incident-ops timeline "The plan: restore, synchronise, fall back, then the queues" $INC --at 2018-10-22T00:05:00Z --kind decision
incident-ops update $INC --at 2018-10-22T00:05:00Z --status identified \
    --public "We are going to fail over an internal data store in a controlled way."
incident-ops timeline "Backups of every affected cluster are being restored" $INC --at 2018-10-22T00:41:00Z --kind action
incident-ops timeline "Several clusters restored on the East Coast" $INC --at 2018-10-22T06:51:00Z \
    --result "Slow where a page writes across the country"
incident-ops update $INC --at 2018-10-22T06:51:00Z --eta 2h --public "We expect to be done in about two hours."
incident-ops update $INC --at 2018-10-22T07:46:00Z --public "There is a post with more about it on our blog."
incident-ops timeline "Every primary is on the East Coast again" $INC --at 2018-10-22T11:12:00Z --kind action \
    --result "Far faster; dozens of replicas are hours behind" --mark mitigated
incident-ops timeline "Replicas fall further behind as people start to work" $INC --at 2018-10-22T13:15:00Z --kind diagnosis \
    --action "Reads spread over more replicas in the cloud" --result "Replication catches up"
incident-ops timeline "Back to the original topology" $INC --at 2018-10-22T16:24:00Z --kind action
incident-ops update $INC --at 2018-10-22T16:24:00Z --status monitoring \
    --public "The databases are in place. We stay red while we work through what waits."
incident-ops timeline "The queues are worked through" $INC --at 2018-10-22T16:45:00Z --kind action \
    --action "More than 5 million hook events and 80,000 Pages builds wait" \
    --result "About 200,000 webhook payloads had expired and were dropped; then their time to live was raised"

incident-ops resolve $INC --at 2018-10-22T23:03:00Z --restored now --cause infrastructure \
    --what "Primaries of the databases moved across the country, where applications are too far away to write" \
    --why "Orchestrator may promote a primary in another region, and did so when it lost sight of the first"
incident-ops update $INC --at 2018-10-22T23:03:00Z --public "Status green: everything has been processed."
incident-ops timeline "All systems confirmed" $INC --at 2018-10-22T23:03:00Z --kind status --mark verified

incident-ops impact $INC --users unknown --failed-requests unknown --revenue unknown \
    --summary "Pages were slow, out of date or inconsistent for 24 hours; webhooks and Pages builds stood still." \
    --data-loss "No data of users; some seconds of writes (954 on a busy cluster) are compared by hand; 200,000 webhook payloads" \
    --qualitative "The times of repair that we published were wrong" \
    --service "site:partial:2018-10-21T22:52:00Z..2018-10-22T11:12:00Z" \
    --service "site:degraded:2018-10-22T11:12:00Z..16:24Z" \
    --service "mysql:major:2018-10-21T22:52:00Z..2018-10-22T11:12:00Z" \
    --service "mysql:degraded:2018-10-22T11:12:00Z..16:24Z" \
    --service "webhooks:major:2018-10-21T23:19:00Z..2018-10-22T16:45:00Z" \
    --service "webhooks:degraded:2018-10-22T16:45:00Z..23:03Z" \
    --service "pages:major:2018-10-21T23:19:00Z..2018-10-22T16:45:00Z" \
    --service "pages:degraded:2018-10-22T16:45:00Z..23:03Z"
incident-ops cause $INC --trigger "The replacement of failing 100G optical equipment" \
    --where "Orchestrator, which manages the topology of the MySQL clusters" \
    --contributing "Applications cannot bear the latency of a database across the country" \
    --contributing "Backups lie in remote storage, and a whole cluster had never been restored from them" \
    --contributing "The time to catch up was taken for linear, and more was written as the day began" \
    --contributing "The status could only be green, yellow or red for everything" \
    --immediate "Webhooks and Pages paused, the clusters restored from backups, then back to the original topology" \
    --deployed 2018-10-22T16:24:00Z

incident-ops action add "Configure Orchestrator to promote no primary across regions" $INC --kind preventative
incident-ops action add "A status page with the state of each service" $INC --kind corrective
incident-ops action add "Serve from several data centers at once, and bear the loss of one" $INC --kind preventative --horizon long
incident-ops action add "Test assumptions before they fail" $INC --kind preventative
incident-ops action add "Inject faults on purpose, and see how the systems fail" $INC --kind preventative --horizon long

incident-ops edit $INC --tag mysql --tag orchestrator --tag failover \
    --link "Postmortem=https://github.blog/2018-10-30-oct21-post-incident-analysis/"

cat > narrative.md <<'END'
# The topology

Each MySQL cluster has one primary, which takes the writes, and dozens of replicas, from which most reads are served.
Orchestrator watches them and, when a primary is lost, agrees with its other nodes on a new one. Such nodes ran in the
data center of the East Coast, in that of the West Coast, and in a public cloud in the East.

```text
before   applications (East)  ->  primary (East)  ->  replicas (East and West)
after    applications (East)  ->  primary (West)  ->  replicas (West)
```

For 43 seconds the data center of the East was cut off. The nodes in the West and in the cloud were a majority, agreed,
and moved the primaries to the West. Orchestrator did as it was configured. But the applications stay
in the East, and each of their writes now crosses the country and back.

# Why nobody could go back

When the connection returned, applications wrote to the West. A few seconds of writes had been made in the East and were
never copied. Both sides had something that the other lacked. Going back at once would have thrown away what users had
written since; staying made many pages too slow. The data of users came first, and so the site stayed slow.

# The way back

1. Restore the clusters in the East from backups. They are made every four hours and lie in remote storage; several terabytes
   of each have to be fetched, unpacked, checked and loaded, and that takes hours.
2. Let the restored servers catch up with the primaries in the West.
3. Move the primaries back to the East, which was done at 11:12.
4. Give the replicas time to catch up. The time was taken to be linear, but Europe and the United States began their day
   and wrote more, so that each hour brought less than the one before.
5. Work through what had been waiting: hook events and builds of Pages.
END
incident-ops postmortem new $INC --narrative narrative.md \
    --summary "43 seconds without a network connection made Orchestrator move database primaries across the country. Both \
coasts then had writes that the other lacked, and keeping them all took a restore from backups. For 24 hours and 11 minutes \
pages were slow, out of date or inconsistent." \
    --public-summary "From 22:52 UTC on 21 October 2018 GitHub was degraded for 24 hours and 11 minutes. No data of users was \
lost; webhooks and Pages builds were paused and then worked through." \
    --well "Alerts came two minutes after the network failed" \
    --well "The data of users was put before a quick end, and kept" \
    --well "Webhooks and Pages builds were paused within half an hour, to protect the data" \
    --poorly "The times of repair that we published did not hold" \
    --poorly "A status for everything together could not say what worked" \
    --poorly "About 200,000 webhook payloads expired before it was seen that they could" \
    --poorly "Restoring terabytes from remote storage took hours" \
    --lesson "technical=What a failover may do has to fit what the applications can bear" \
    --lesson "technical=Catching up is not linear: it gets slower as more is written" \
    --lesson "process=An expected end needs the load of the coming day in it" \
    --lesson "process=Assumptions are to be tested before they fail: by trying out failures on purpose" \
    --conclusion "We know how much people build on GitHub, and we are sorry. We are looking into the writes that are left on the \
East Coast: which of them can be added again by a program, and for which we have to ask users."
