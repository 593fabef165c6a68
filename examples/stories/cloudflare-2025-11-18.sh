#!/bin/sh
# Cloudflare, 18 November 2025: eight services, hurt at different times. Run it by run.sh; README.md says where the facts
# are from. Every time is UTC; `14:30Z` is the first such time after the one before it, or the last before --at.
set -eu
INC=INC-20251118-113500
DAY=2025-11-18

incident-ops init --preset sev0-3 --by @scribe \
    -s cdn=@proxy -s bot-management=@bots -s turnstile=@turnstile -s workers-kv=@storage \
    -s dashboard=@dashboard -s access=@access -s warp=@warp -s email-security=@email

incident-ops declare "Many websites answer with HTTP 5xx errors" --severity SEV0 \
    -s cdn -s bot-management -s turnstile -s workers-kv -s dashboard -s access -s warp -s email-security \
    --declared ${DAY}T11:35:00Z --started 11:20Z --detected 11:31Z --source alert --detail "an automated test" \
    --description "Requests through the core proxy fail; the failures come and go every five minutes."
incident-ops ack $INC --at ${DAY}T11:35:00Z
incident-ops correct $INC acknowledged ${DAY}T11:32:00Z

incident-ops timeline "Access to a ClickHouse cluster made explicit" $INC --at ${DAY}T11:05:00Z --kind change
incident-ops timeline "The change reaches customers: first errors on their traffic" $INC --at ${DAY}T11:28:00Z
incident-ops timeline "Manual investigation begins" $INC --at ${DAY}T11:32:00Z --kind diagnosis \
    --action "Traffic shaped, accounts limited, to get Workers KV back" \
    --result "Workers KV looks like the cause; an attack is suspected"
incident-ops update $INC --at ${DAY}T11:48:27Z --status investigating \
    --public "Some services fail from time to time. We are working on it."
incident-ops update $INC --at ${DAY}T12:21:58Z \
    --public "Services are recovering, but there may still be more errors than usual."
incident-ops update $INC --at ${DAY}T13:04:09Z \
    --public "WARP is switched off in London while we work on the cause: users there cannot connect."
incident-ops timeline "Workers KV and Access bypass the core proxy" $INC --at ${DAY}T13:05:00Z --kind action \
    --action "Both fall back to an earlier version of the proxy" --result "Less impact on both"
incident-ops update $INC --at ${DAY}T13:09:53Z --status identified \
    --public "We know the cause and are working on a fix."
incident-ops update $INC --at ${DAY}T13:13:39Z \
    --public "Access and WARP have recovered, WARP in London is on again. Other services follow."
incident-ops timeline "The Bot Management file is the trigger" $INC --at ${DAY}T13:37:00Z --kind decision \
    --action "Several teams prepare the return to the last good file" --mark diagnosed
incident-ops timeline "No more new Bot Management files" $INC --at ${DAY}T14:24:00Z --kind action \
    --action "Making and spreading them stopped; an earlier file tested" --result "Recovery with the earlier file"
incident-ops timeline "A correct file is everywhere" $INC --at ${DAY}T14:30:00Z --kind action \
    --action "The core proxy restarted" --result "Most services work" --mark mitigated
incident-ops update $INC --at ${DAY}T14:42:37Z --status monitoring \
    --public "The fix is in place. We keep watching for errors."
incident-ops timeline "A backlog of logins overloads the dashboard" $INC --at ${DAY}T14:40:00Z
incident-ops timeline "More concurrency for the control plane" $INC --at ${DAY}T15:30:00Z --kind action \
    --result "The dashboard is available"
incident-ops timeline "Every service restarted, errors back to normal" $INC --at ${DAY}T17:06:00Z \
    --kind status --mark restored
incident-ops update $INC --at ${DAY}T17:44:58Z \
    --public "Everything works normally. What was switched off may be switched on again."

incident-ops impact $INC --users unknown --failed-requests unknown --revenue unknown --data-loss unknown \
    --summary "Most traffic through the core proxy failed with HTTP 5xx errors; logins and bot scores failed, too." \
    --qualitative "The worst outage since 2019" \
    --qualitative "Rules against bots blocked people: on the older proxy every request had a bot score of zero" \
    --qualitative "Responses were slower: debugging of the errors used up the processors" \
    --qualitative "The status page failed at the same time, by coincidence" \
    --qualitative "Email was delivered; spam was recognised less well, and some automatic moves failed" \
    --service "cdn:major:${DAY}T11:20:00Z..14:30Z" --service "cdn:degraded:${DAY}T14:30:00Z..17:06Z" \
    --service "bot-management:major:${DAY}T11:20:00Z..14:30Z" \
    --service "bot-management:degraded:${DAY}T14:30:00Z..17:06Z" \
    --service "turnstile:major:${DAY}T11:20:00Z..14:30Z" \
    --service "workers-kv:major:${DAY}T11:20:00Z..13:05Z" --service "workers-kv:degraded:${DAY}T13:05:00Z..14:30Z" \
    --service "dashboard:partial:${DAY}T11:30:00Z..13:10Z" --service "dashboard:partial:${DAY}T14:40:00Z..15:30Z" \
    --service "access:major:${DAY}T11:20:00Z..13:05Z" \
    --service "warp:partial:${DAY}T13:04:09Z..13:13:39Z"

incident-ops resolve $INC --at ${DAY}T19:28:00Z --cause configuration \
    --what "The core proxy failed on a Bot Management file with more than 200 features" \
    --why "The query behind the file returned each column twice once more tables were visible, and the file doubled"
incident-ops update $INC --at ${DAY}T19:28:00Z --public "This incident is resolved."
incident-ops cause $INC --where "The check of the number of features in FL2, the new core proxy" \
    --trigger "The change of database permissions at 11:05" \
    --contributing "The query does not name its database" \
    --contributing "Memory for 200 features is set aside at the start, and what exceeds it is not handled" \
    --contributing "A file of our own making is trusted without a check" \
    --contributing "The file is made anew every five minutes, sometimes good and sometimes bad, which looked like an attack" \
    --contributing "There was no quick way to switch the module off everywhere" \
    --contributing "Access, the dashboard and Workers KV depend on the core proxy" \
    --why-chain "Why did requests fail?=The proxy stopped on an error in its Bot Management module" \
    --why-chain "Why did the module fail?=Its file had more features than the limit of 200; about 60 are in use" \
    --why-chain "Why did the file grow?=A query returned the columns of two databases instead of one" \
    --why-chain "Why did the query?=Permissions had changed, and it had relied on seeing one database only" \
    --immediate "No more new files; a good one put in the queue by hand; the core proxy restarted" \
    --deployed ${DAY}T14:30:00Z

incident-ops action add "Check configuration files of our own making as strictly as those of users" $INC --kind preventative
incident-ops action add "More switches that turn a feature off everywhere" $INC --kind corrective
incident-ops action add "Keep core dumps and error reports from using up the machines" $INC --kind preventative
incident-ops action add "Review how every module of the core proxy fails" $INC --kind preventative

incident-ops edit $INC --tag bot-management --tag configuration --status-page https://www.cloudflarestatus.com \
    --link "Postmortem=https://blog.cloudflare.com/18-november-2025-outage/"

cat > query.sql <<'END'
-- No database is named: once a second one can be seen,
-- each column of the table comes twice.
SELECT name, type FROM system.columns
WHERE table = 'http_requests_features' ORDER BY name;
END
incident-ops cause $INC --snippet query.sql --language sql --caption "The query behind the Bot Management file"

cat > narrative.md <<'END'
# How a request passes through the proxy

A request is taken in where TLS and HTTP end, goes through the core proxy, and from there to the cache or to the server of
the website. The core proxy has a module for each product: rules, protection against attacks, Bot Management. Two
versions of it were in use, FL and its successor FL2.

Bot Management gives each request a score: how likely is it that a program sent it? A model computes the score from
*features*, and which features there are stands in a file that is made anew every five minutes, so that the model
keeps up with the bots. Every machine of the network has the new file soon after.

# How the file grew

The list of features comes from a query to ClickHouse. Its tables are split among many servers: people ask the
database `default`, which collects the parts, and the parts lie in a database called `r0`. Who had access to `default`
had access to `r0` too, without seeing it. The change of 11:05 made this explicit, and visible.

From then on the query found every column twice. The file doubled, and had more features than the 200 for which the
module sets memory aside.

| proxy | what it did with such a file | what users saw |
| --- | --- | --- |
| FL2 | the code took for granted that the file can be loaded, and stopped with a panic when it could not | HTTP 5xx errors |
| FL | it went on without scores: every request had the score zero | rules against bots blocked people |

# Why it looked like an attack

The change reached the ClickHouse servers one after the other. Every five minutes it depended on the server that answered
whether the new file was good or bad, and so the network failed, recovered, and failed again. A program's own mistake does
not often look like that. The status page, which runs elsewhere, failed at the same time by coincidence, and
this pointed to an attack as well. Once every server had the change, each new file was bad and the failures stayed.

# How it ended

1. Workers KV and Access went around the core proxy, which made the impact smaller before the cause was known.
2. With the file known as the trigger, no more new ones were made or sent.
3. A good file was put in the queue by hand, and the core proxy restarted.
4. The people who came back all at once were too many for the dashboard, until it had more capacity.
END
incident-ops postmortem new $INC --narrative narrative.md \
    --summary "A change of database permissions doubled a file that Bot Management spreads to every machine. The core \
proxy failed on the larger file, and with it websites, Workers KV, Access and the dashboard. Nobody attacked \
it." \
    --public-summary "On 18 November 2025 many websites behind Cloudflare answered with errors from 11:20 to 14:30 UTC, and \
some services until 17:06. A change of our own in a database was the cause; nobody attacked us." \
    --well "An automated test noticed it 11 minutes after the impact began" \
    --well "Workers KV and Access could go around the core proxy: less impact from 13:05 on" \
    --well "An earlier file was tested before it went everywhere" \
    --poorly "Two hours passed until the file was known as the trigger: it looked like Workers KV, and like an attack" \
    --poorly "The status page failed at the same time, which made an attack look likely" \
    --poorly "Error reports and debugging used up processors that requests needed" \
    --poorly "Who wanted to log in to change settings could not: Turnstile was down" \
    --lesson "technical=A file that our own programs make is input like any other, and can be wrong" \
    --lesson "technical=A limit that is exceeded has to end in less service, not in none" \
    --lesson "technical=A query that does not name its database changes with permissions" \
    --lesson "process=What is sent everywhere within minutes needs a switch that works as fast" \
    --conclusion "This was our worst outage since 2019. It is not acceptable, and we are sorry for it."
