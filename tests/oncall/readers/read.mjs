// What two readers of calendars make of a file: `node read.mjs FILE` prints the events of each as JSON.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";
import ical from "node-ical";

const text = readFileSync(process.argv[2], "utf8");
const order = (one, other) => one.start.localeCompare(other.start) || one.uid.localeCompare(other.uid);

const calendar = new ICAL.Component(ICAL.parse(text));
const mozilla = calendar.getAllSubcomponents("vevent").map((component) => {
  const event = new ICAL.Event(component);
  return {
    uid: event.uid,
    sequence: event.sequence,
    summary: event.summary,
    start: event.startDate.toJSDate().toISOString(),
    end: event.endDate.toJSDate().toISOString(),
  };
});

const node = Object.values(ical.sync.parseICS(text))
  .filter((one) => one.type === "VEVENT")
  .map((event) => ({
    uid: event.uid,
    sequence: Number(event.sequence),
    summary: event.summary,
    start: event.start.toISOString(),
    end: event.end.toISOString(),
  }));

console.log(JSON.stringify({ mozilla: mozilla.sort(order), node: node.sort(order) }));
