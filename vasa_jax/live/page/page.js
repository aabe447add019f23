// The page: what the user does, and what the server says of it.

import * as controls from "./controls.js";
import { connect as connectPlain } from "./media_socket.js";
import * as mp4 from "./mp4_socket.js";

const $ = (id) => document.getElementById(id);
const MICROPHONE = {
  // The face may speak through loudspeakers; the other two would bend the voice.
  echoCancellation: true, noiseSuppression: false, autoGainControl: false,
};
const GATHER_MS = 2000;
const NO_MP4 = "This browser does not play the video with less data, so pictures are sent.";
const NEED_SESSION = ["stop", "quiet", "record", "sound", "text", "voice", "language", "say"];

let portraitId = null;
let backgroundId = null; // Of the picture to stand behind the person.
let chosen = null; // Where the picture lies that the user chose.
let live = null; // What runs: { sessionId, socket, close, setLoud }.
let microphone = null;
let camera = null;

function tell(sentence) {
  $("error").textContent = sentence ?? "";
  $("error").hidden = !sentence;
}

function show(element) {
  for (const id of ["still", "video", "canvas"]) $(id).hidden = id !== element;
}

function address(path) {
  const url = new URL(path, document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

async function post(path, body, type) {
  let response;
  try {
    response = await fetch(path, { method: "POST", body, headers: { "Content-Type": type } });
  } catch {
    throw new Error("The server does not answer; is it still running?");
  }
  let answer = {};
  try { answer = await response.json(); } catch { /* The sentence below says it. */ }
  if (!response.ok) throw new Error(answer.error ?? `The server refused (${response.status}).`);
  return answer;
}

// Errors of getUserMedia as one sentence with the mend.
function mediaSentence(error, what) {
  if (error.name === "NotAllowedError") {
    return `The ${what} was not allowed; allow it beside the page's address, then try again.`;
  }
  if (error.name === "NotFoundError") return `There is no ${what}; plug one in, then try again.`;
  if (error.name === "NotReadableError") {
    return `The ${what} is used by another program; close that, then try again.`;
  }
  return `The ${what} cannot be opened (${error.name}); try another browser.`;
}

async function openMedia(wanted, what) {
  if (!navigator.mediaDevices) {
    throw new Error(`The ${what} needs https or localhost; open the page by one of them.`);
  }
  try {
    return await navigator.mediaDevices.getUserMedia(wanted);
  } catch (error) {
    throw new Error(mediaSentence(error, what));
  }
}

// --- Connecting ---------------------------------------------------------------------

async function start(sentence) {
  tell(sentence);
  $("start").disabled = true;
  $("state").textContent = "Connecting";
  try {
    microphone = await openMedia({ audio: MICROPHONE }, "microphone");
  } catch (error) {
    // A sound file can be said all the same.
    tell(error.message);
  }
  try {
    const usePlain = $("plain").checked || !window.RTCPeerConnection;
    if (!window.RTCPeerConnection && !$("plain").checked) {
      tell("This browser has no WebRTC, so the plain connection is used.");
    }
    if ($("plain").checked && $("thin").checked && !mp4.isSupported()) {
      tell(NO_MP4);
      $("thin").checked = false;
    }
    const ending = makeEnding();
    const begun = usePlain ? await startPlain(ending) : await startWebRtc(ending);
    if (ending.sentence) {
      begun.close();
      throw new Error(ending.sentence);
    }
    live = begun;
    sendControls();
    sendAgent();
    setRunning(true);
  } catch (error) {
    stop(error.message);
  }
}

// What ends a connection, whether it has begun or not; the first sentence counts.
function makeEnding() {
  const ending = { sentence: null, onEnd: () => {} };
  ending.end = (sentence) => {
    if (ending.sentence) return;
    ending.sentence = sentence;
    ending.onEnd();
    if (live?.ending === ending) stop(sentence);
  };
  // A socket that broke could not say why; the server still knows.
  ending.broke = async (sessionId) => {
    if (ending.sentence) return;
    try {
      ending.end((await (await fetch(`ending/${sessionId}`)).json()).sentence);
    } catch {
      ending.end("The server does not answer; is it still running?");
    }
  };
  return ending;
}

async function startWebRtc(ending) {
  const settings = await (await fetch("settings")).json();
  const peer = new RTCPeerConnection({ iceServers: settings.ice_servers });
  let socket = null;
  const close = () => { peer.close(); socket?.close(); };
  try {
    if (microphone) {
      for (const track of microphone.getAudioTracks()) peer.addTrack(track, microphone);
    } else {
      peer.addTransceiver("audio", { direction: "recvonly" });
    }
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.ontrack = ({ streams: [stream] }) => { $("video").srcObject = stream; };
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "failed") {
        ending.end("The connection was lost; start again, or choose the plain connection.");
      }
    };
    await peer.setLocalDescription(await peer.createOffer());
    await gathered(peer);
    const answer = await post("offer", JSON.stringify({
      sdp: peer.localDescription.sdp, type: "offer", portrait_id: portraitId,
      whole_picture: $("whole").checked, background: background(),
    }), "application/json");
    await peer.setRemoteDescription({ sdp: answer.sdp, type: answer.type });
    // Held beside, so that the server knows at once when this page goes.
    socket = await opened(new WebSocket(address(`control/${answer.session_id}`)));
    socket.onmessage = ({ data }) => follow(JSON.parse(data), ending);
    socket.onclose = () => ending.broke(answer.session_id);
    show("video");
    const setLoud = (on) => { $("video").muted = !on; };
    setLoud($("loud").checked);
    return { sessionId: answer.session_id, socket, close, setLoud, ending };
  } catch (error) {
    close();
    throw error;
  }
}

function gathered(peer) {
  if (peer.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    setTimeout(resolve, GATHER_MS);
    peer.onicegatheringstatechange = () => {
      if (peer.iceGatheringState === "complete") resolve();
    };
  });
}

function opened(socket) {
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve(socket);
    socket.onerror = () => reject(new Error("The session could not be held; start again."));
  });
}

async function startPlain(ending) {
  const isThin = $("plain").checked && $("thin").checked;
  const query = new URLSearchParams({
    whole_picture: wholePicture(), background: background(),
    format: isThin ? "mp4" : "pictures",
  });
  if (portraitId) query.set("portrait_id", portraitId);
  let sessionId = null;
  let begin;
  const hasMedia = new Promise((resolve) => { begin = resolve; });
  ending.onEnd = begin;
  const onMessage = (message) => {
    if (message.type === "begun") sessionId = message.session_id;
    if (message.type === "media") {
      $("canvas").width = message.width;
      $("canvas").height = message.height;
      begin();
    }
    follow(message, ending);
  };
  const connect = isThin ? mp4.connect : connectPlain;
  const connection = await connect({
    url: address(`live?${query}`), microphone, canvas: $("canvas"), video: $("video"),
    isLoud: $("loud").checked, onMessage, onClose: () => ending.broke(sessionId),
    onRefused: () => ending.end(NO_MP4),
  });
  await hasMedia;
  show(isThin ? "video" : "canvas");
  return { ...connection, sessionId, ending };
}

function stop(sentence) {
  const ended = live;
  live = null;
  if (ended) ended.ending.sentence ??= "Stopped.";
  ended?.close();
  microphone?.getTracks().forEach((track) => track.stop());
  microphone = null;
  $("video").srcObject = null;
  show("still");
  setRunning(false);
  if (sentence) tell(sentence);
  if (sentence === NO_MP4) {
    $("thin").checked = false;
    start(NO_MP4);
  }
}

function setRunning(isRunning) {
  $("start").disabled = isRunning;
  for (const id of NEED_SESSION) $(id).disabled = !isRunning;
  for (const id of [
    "portrait", "photograph", "whole", "plain", "background", "background_file",
  ]) $(id).disabled = isRunning;
  $("thin").disabled = isRunning || !$("plain").checked;
  $("state").textContent = isRunning ? "Listening" : "Not connected";
  $("record").setAttribute("aria-pressed", "false");
}

// --- Messages -----------------------------------------------------------------------

function send(message) {
  if (live?.socket.readyState === WebSocket.OPEN) live.socket.send(JSON.stringify(message));
}

function follow(message, ending) {
  if (message.type === "state" && live) {
    const speaking = message.preparing ? "Preparing the voice" : "Speaking";
    $("state").textContent = message.speaking ? speaking : "Listening";
  } else if (message.type === "error") {
    tell(message.sentence);
  } else if (message.type === "ended") {
    ending.end(message.sentence);
  } else if (message.type === "recorded") {
    fetchRecording(message.is_there);
  }
}

function sendControls() {
  send(controls.message());
}

function sendAgent() {
  send({ type: "agent", name: document.querySelector("[name=agent]:checked").value });
}

async function fetchRecording(isThere) {
  if (!isThere) { tell("Nothing was recorded; record a little longer."); return; }
  const response = await fetch(`recording/${live.sessionId}`);
  if (!response.ok) { tell((await response.json()).error); return; }
  const video = await response.blob();
  $("download_link").href = URL.createObjectURL(video);
  $("download_link").download = `talking_face.${video.type === "video/webm" ? "webm" : "mp4"}`;
  $("download").hidden = false;
}

// --- What the user does -------------------------------------------------------------

async function choosePortrait(file) {
  tell();
  $("portrait_note").hidden = false;
  $("portrait_note").textContent = "Looking for the face";
  try {
    const answer = await post("portrait", file, "application/octet-stream");
    portraitId = answer.portrait_id;
    chosen = URL.createObjectURL(file);
    showPicture();
    $("portrait_note").textContent = answer.warning ?? "Found a face; press Start.";
  } catch (error) {
    $("portrait_note").hidden = true;
    tell(error.message);
  }
}

// What the server is asked for: a name, or the picture's id.
function background() {
  const wanted = $("background").value;
  if (wanted !== "picture") return wanted;
  if (!backgroundId) throw new Error("Choose the picture that stands behind the person first.");
  return backgroundId;
}

function showBackground() {
  const wanted = $("background").value;
  $("choose_background").hidden = wanted !== "picture";
  $("background_note").hidden = wanted !== "picture" || !backgroundId;
  $("canvas").classList.toggle("is_clear", wanted === "transparent");
}

async function chooseBackground(file) {
  tell();
  try {
    backgroundId = (await post("background", file, "application/octet-stream")).background_id;
    $("background_note").textContent = `${file.name} stands behind the person.`;
  } catch (error) {
    tell(error.message);
  }
  showBackground();
}

const wholePicture = () => ($("whole").checked ? "1" : "0");

// Show the portrait as the face will be seen: whole, or cut to a square.
function showPicture() {
  document.querySelector("main").classList.toggle("is_whole", $("whole").checked);
  $("still").src = chosen ?? `portrait.jpg?whole_picture=${wholePicture()}`;
}

async function sayFile(file) {
  tell();
  $("sound_note").hidden = false;
  $("sound_note").textContent = "Reading the sound";
  try {
    const { seconds } = await post(`sound/${live.sessionId}`, file, "application/octet-stream");
    $("sound_note").textContent = `It says ${seconds.toFixed(1)} s of ${file.name}.`;
  } catch (error) {
    $("sound_note").hidden = true;
    tell(error.message);
  }
}

// What the server can say, or what it lacks.
async function showVoices() {
  const { voices, without_voices: lacks, text_letters: most } =
    await (await fetch("settings")).json();
  $("typed").hidden = !voices;
  $("without_voices").hidden = Boolean(voices);
  $("without_voices").textContent = lacks ?? "";
  if (!voices) return;
  $("text").maxLength = most;
  const languages = new Intl.DisplayNames(["en"], { type: "language" });
  for (const name of voices.names) $("voice").add(new Option(name));
  for (const name of voices.languages) $("language").add(new Option(languages.of(name), name));
  $("voice").value = voices.voice;
  $("language").value = voices.language;
}

function sayText() {
  tell();
  send({ type: "clear" });
  send({
    type: "say", text: $("text").value, voice: $("voice").value, language: $("language").value,
  });
}

async function openCamera() {
  tell();
  try {
    camera = await openMedia({ video: { width: 1280, height: 720 } }, "camera");
    $("viewfinder").srcObject = camera;
    $("camera").hidden = false;
  } catch (error) {
    tell(error.message);
  }
}

function closeCamera() {
  camera?.getTracks().forEach((track) => track.stop());
  camera = null;
  $("camera").hidden = true;
}

function takePhoto() {
  const view = $("viewfinder");
  const canvas = document.createElement("canvas");
  canvas.width = view.videoWidth;
  canvas.height = view.videoHeight;
  canvas.getContext("2d").drawImage(view, 0, 0);
  closeCamera();
  canvas.toBlob((blob) => choosePortrait(blob), "image/jpeg", 0.95);
}

$("start").onclick = () => start();
$("stop").onclick = () => stop();
$("quiet").onclick = () => send({ type: "clear" });
$("record").onclick = () => {
  const isOn = $("record").getAttribute("aria-pressed") !== "true";
  $("record").setAttribute("aria-pressed", String(isOn));
  send({ type: "record", on: isOn });
};
$("loud").onchange = () => live?.setLoud($("loud").checked);
$("portrait").onchange = () => { const [file] = $("portrait").files; if (file) choosePortrait(file); };
$("whole").onchange = showPicture;
$("background").onchange = showBackground;
$("background_file").onchange = () => {
  const [file] = $("background_file").files;
  if (file) chooseBackground(file);
};
$("plain").onchange = () => { $("thin").disabled = !$("plain").checked; };
$("sound").onchange = () => { const [file] = $("sound").files; if (file) sayFile(file); $("sound").value = ""; };
$("say").onclick = sayText;
$("text").onkeydown = (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) sayText();
};
$("photograph").onclick = openCamera;
$("shoot").onclick = takePhoto;
$("no_photo").onclick = closeCamera;
for (const choice of document.querySelectorAll("[name=agent]")) choice.onchange = sendAgent;
addEventListener("pagehide", () => live?.close());
controls.prepare(sendControls);
showBackground(); // A page that was reloaded keeps what was chosen.
if ($("whole").checked) showPicture(); // Some browsers keep the tick.
showVoices();
