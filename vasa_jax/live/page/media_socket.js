// The plain connection: pictures (JPEG, WebP with alpha) and sound as samples over one WebSocket.

import { openSound, sendMicrophone } from "./microphone.js";

const SAMPLES = 640;

// Returns { socket, close, setLoud }. `onMessage` gets the socket's JSON messages.
export async function connect({ url, microphone, canvas, isLoud, onMessage, onClose }) {
  // Before the socket, so that nothing comes which cannot be played yet.
  const player = await openSound({ sampleRate: 16000 });
  const recorder = microphone ? await openSound() : null;
  const sound = new AudioWorkletNode(player, "face-sound", {
    numberOfInputs: 0, outputChannelCount: [1],
  });
  const volume = player.createGain();
  volume.gain.value = isLoud ? 1 : 0;
  sound.connect(volume).connect(player.destination);
  await player.resume();

  const pictures = new Map();
  const context = canvas.getContext("2d");
  sound.port.onmessage = ({ data: number }) => {
    const due = [...pictures.keys()].filter((key) => key <= number).sort((a, b) => a - b);
    const last = due.at(-1);
    if (last === undefined) return;
    context.clearRect(0, 0, canvas.width, canvas.height); // Pictures may have alpha.
    context.drawImage(pictures.get(last), 0, 0, canvas.width, canvas.height);
    for (const key of due) { pictures.get(key).close(); pictures.delete(key); }
  };

  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onmessage = async ({ data }) => {
    if (typeof data === "string") { onMessage(JSON.parse(data), socket); return; }
    const number = new DataView(data).getUint32(0, true);
    const levels = new Int16Array(data.slice(4, 4 + 2 * SAMPLES));
    sound.port.postMessage({ number, samples: Float32Array.from(levels, (x) => x / 32768) });
    const picture = data.slice(4 + 2 * SAMPLES);
    if (!picture.byteLength) return;
    pictures.set(number, await createImageBitmap(new Blob([picture])));
  };

  if (recorder) sendMicrophone(recorder, microphone, socket);

  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    socket.close();
    player.close();
    recorder?.close();
  };
  socket.onclose = () => { close(); onClose(); };
  return { socket, close, setLoud: (on) => { volume.gain.value = on ? 1 : 0; } };
}
