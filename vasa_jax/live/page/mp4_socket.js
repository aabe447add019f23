// The plain connection with less data: an mp4 that grows, played by MediaSource.

import { openSound, sendMicrophone } from "./microphone.js";

const TYPE = 'video/mp4; codecs="avc1.42c01f,opus"';
const EDGE = 0.12; // Seconds that lie in store.
const MOST = 0.6; // In store; beyond, sound and picture are skipped together.
const KEPT = 10; // Seconds that were played.
const LOOK_MS = 100;

export function isSupported() {
  return Boolean(window.MediaSource?.isTypeSupported(TYPE));
}

// As `connect` of media_socket.js; `onRefused` is called if the browser does not play it.
export async function connect({
  url, microphone, video, isLoud, onMessage, onClose, onRefused,
}) {
  const recorder = microphone ? await openSound() : null;
  const source = new MediaSource();
  video.srcObject = null;
  video.src = URL.createObjectURL(source);
  video.muted = !isLoud;
  await new Promise((resolve) => source.addEventListener("sourceopen", resolve, { once: true }));
  URL.revokeObjectURL(video.src);

  let buffer = null;
  const waiting = [];
  const orRefuse = (act) => { try { act(); } catch { onRefused(); } };
  const feed = () => {
    if (!isOpen || !buffer || buffer.updating) return;
    const start = buffer.buffered.length ? buffer.buffered.start(0) : 0;
    if (video.currentTime - start > 2 * KEPT) buffer.remove(start, video.currentTime - KEPT);
    else if (waiting.length) buffer.appendBuffer(waiting.shift());
  };
  const begin = (type) => {
    buffer = source.addSourceBuffer(type);
    buffer.onupdateend = () => orRefuse(feed);
    buffer.onerror = onRefused;
  };
  // Nothing else brings the newest back once something came late.
  const keepUp = () => {
    if (!video.buffered.length) return;
    const end = video.buffered.end(video.buffered.length - 1);
    const ahead = end - video.currentTime;
    if (ahead > MOST) video.currentTime = end - EDGE;
    video.playbackRate = ahead > 1.5 * EDGE ? 1.1 : ahead < 0.5 * EDGE ? 0.95 : 1;
  };

  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") {
      waiting.push(data);
      orRefuse(feed);
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "media") orRefuse(() => begin(message.mime));
    onMessage(message);
  };
  if (recorder) sendMicrophone(recorder, microphone, socket);

  const looking = setInterval(keepUp, LOOK_MS);
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    clearInterval(looking);
    socket.close();
    recorder?.close();
    video.playbackRate = 1;
    video.removeAttribute("src");
    video.load();
  };
  socket.onclose = () => { close(); onClose(); };
  return { socket, close, setLoud: (on) => { video.muted = !on; } };
}
