/* For browsers as old as they come: ECMAScript 3, nothing else. Says whether this PC's clock and browser are good for a
   lesson; one picture at a time, the clock first, because with a wrong clock no newer browser can be fetched either. */
(function () {
  var page = document.getElementById("pc");
  var told = parseInt(page.getAttribute("data-now"), 10);
  var WRONG_MS = 120000;
  var FLOOR = 109;
  var here = new Date();

  function show(name) {
    var names = ["checking", "clock", "core", "old", "good"];
    var i;
    for (i = 0; i < names.length; i += 1) {
      document.getElementById(names[i]).className = names[i] === name ? "part" : "part off";
    }
  }

  function two(number) {
    return (number < 10 ? "0" : "") + number;
  }

  function written(date) {
    var day = date.getFullYear() + "-" + two(date.getMonth() + 1) + "-" + two(date.getDate());
    return day + " " + two(date.getHours()) + ":" + two(date.getMinutes());
  }

  /* Internet Explorer's core, also inside the browsers that carry two. */
  function oldCore() {
    return !!document.documentMode || /MSIE |Trident\//.test(navigator.userAgent);
  }

  function tooOld() {
    var found = /Chrom(e|ium)\/(\d+)/.exec(navigator.userAgent);
    if (found) {
      return parseInt(found[2], 10) < FLOOR;
    }
    return !window.RTCPeerConnection;
  }

  document.getElementById("time-here").innerHTML = written(here);
  if (Math.abs(here.getTime() - told) > WRONG_MS) {
    show("clock");
  } else if (oldCore()) {
    show("core");
  } else if (tooOld()) {
    show("old");
  } else {
    show("good");
  }
  /* Whoever mends something sees it without a click. */
  setTimeout(function () {
    location.reload(true);
  }, 30000);
}());
