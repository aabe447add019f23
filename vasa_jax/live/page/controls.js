// What is asked of the performance: the sliders, and the message that they make.

const ANGLES = {
  gaze: ["gaze_yaw", "gaze_pitch"],
  pose_offset: ["pose_offset_yaw", "pose_offset_pitch", "pose_offset_roll"],
};
const NUMBERS = [
  "head_distance", "liveliness", "pose_scale", "mouth_scale", "brow_offset", "smile_offset",
  "blink_rate", "audio_guidance", "gaze_guidance",
];
const SHOWN = {
  degrees: (value) => `${value}°`,
  times: (value) => `${value.toFixed(2)} ×`,
  percent: (value) => `${Math.round(100 * value)} %`,
  rate: (value) => `${value} a minute`,
  weight: (value) => value.toFixed(1),
};

// By name, what each field asks for; null asks for nothing. It outlives sessions.
const asked = {};

const panel = document.getElementById("performance");
const fields = [...panel.querySelectorAll("input, select")];

// Return the message that asks for all of it: what a message leaves out is as at first.
export function message() {
  const made = { type: "controls" };
  for (const [field, names] of Object.entries(ANGLES)) {
    made[field] = names.map((name) => asked[name]);
  }
  for (const name of NUMBERS) if (asked[name] !== null) made[name] = asked[name];
  made.emotion = asked.emotion ? { [asked.emotion]: asked.strength } : {};
  return made;
}

// Make the fields work; `onChange` is called when something else is asked for.
export function prepare(onChange) {
  const change = () => { show(); onChange(); };
  for (const field of fields) {
    asked[field.id] = usual(field);
    field.oninput = () => {
      asked[field.id] = field.type === "range" ? Number(field.value) : field.value;
      change();
    };
  }
  for (const button of panel.querySelectorAll(".reset")) {
    button.onclick = () => { reset(button.closest("details")); change(); };
  }
  document.getElementById("reset").onclick = () => { reset(panel); change(); };
  show();
}

// Return what a field asks for at first.
function usual(field) {
  if (field.type !== "range") return "";
  return field.dataset.unset ? null : Number(field.defaultValue);
}

function reset(part) {
  for (const field of fields) if (part.contains(field)) asked[field.id] = usual(field);
}

function show() {
  for (const field of fields) {
    const value = asked[field.id];
    field.value = value ?? field.defaultValue;
    if (field.type !== "range") continue;
    const text = value === null ? field.dataset.unset : SHOWN[field.dataset.shown](value);
    field.setAttribute("aria-valuetext", text);
    field.parentElement.querySelector("output").textContent = text;
  }
  document.getElementById("strength").disabled = !asked.emotion;
  for (const group of panel.querySelectorAll("details")) {
    const isUsual = fields.every(
      (field) => !group.contains(field) || asked[field.id] === usual(field),
    );
    group.querySelector(".changed").hidden = isUsual;
  }
}
