const sentence = document.getElementById("sentence");
new EventSource("/events").addEventListener("view", (message) => {
  sentence.textContent = JSON.parse(message.data).sentence;
});
