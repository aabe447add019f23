// The user's voice and the sound devices of the plain connection.

export async function openSound(options) {
  const context = new AudioContext(options);
  if (!context.audioWorklet) {
    throw new Error("Sound needs https or localhost; open the page by one of them.");
  }
  await context.audioWorklet.addModule("sound_worklet.js");
  return context;
}

// Send a microphone's sound through a socket, 16-bit numbers at 16 kHz.
export function sendMicrophone(recorder, microphone, socket) {
  const heard = new AudioWorkletNode(recorder, "microphone", { numberOfOutputs: 0 });
  heard.port.onmessage = ({ data: piece }) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(piece);
  };
  recorder.createMediaStreamSource(microphone).connect(heard);
}
