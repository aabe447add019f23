// Two processors of the plain connection: one plays the face's sound and is the clock
// of its picture, the other brings a microphone to 16 kHz.

const STORE = 1280; // 80 ms at 16 kHz, before the first sound.
const MOST = 4800; // 300 ms; beyond, sound and picture are skipped together.

class FaceSound extends AudioWorkletProcessor {
  constructor() {
    super();
    this.ticks = [];
    this.held = 0;
    this.place = 0;
    this.isPlaying = false;
    this.port.onmessage = ({ data }) => {
      this.ticks.push(data);
      this.held += data.samples.length;
      while (this.held > MOST) this.drop();
    };
  }

  drop() {
    this.held -= this.ticks.shift().samples.length - this.place;
    this.place = 0;
  }

  process(inputs, [[output]]) {
    if (!this.isPlaying && this.held >= STORE) this.isPlaying = true;
    for (let i = 0; this.isPlaying && i < output.length; i++) {
      if (!this.ticks.length) { this.isPlaying = false; break; }
      const tick = this.ticks[0];
      if (this.place === 0) this.port.postMessage(tick.number);
      output[i] = tick.samples[this.place++];
      this.held--;
      if (this.place === tick.samples.length) { this.ticks.shift(); this.place = 0; }
    }
    return true;
  }
}

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Int16Array(320);
    this.count = 0;
    this.sum = 0;
    this.weight = 0;
    this.phase = 0;
  }

  process([[input]]) {
    if (!input) return true;
    const step = 16000 / sampleRate;
    for (const sample of input) {
      this.sum += sample;
      this.weight++;
      this.phase += step;
      if (this.phase < 1) continue;
      this.phase -= 1;
      const level = Math.max(-1, Math.min(1, this.sum / this.weight));
      this.piece[this.count++] = Math.round(level * 32767);
      this.sum = this.weight = 0;
      if (this.count === this.piece.length) {
        this.port.postMessage(this.piece.slice());
        this.count = 0;
      }
    }
    return true;
  }
}

registerProcessor("face-sound", FaceSound);
registerProcessor("microphone", Microphone);
