(function (map, data) {
  "use strict";
  var W = data.words, S = data.statuses;
  var COLOUR = {
    served: "#009e73", beyond_limit: "#e69f00", unreachable: "#d55e00", off_network: "#cc79a7",
    no_facility: "#7a1f1f", no_standard: "#56b4e9", no_data: "#9a9a9a", outside_data: "#dddddd"
  };
  var SHARE = ["#009e73", "#8fd0b9", "#e69f00", "#9a9a9a"];
  var layers = {}, canvas = L.canvas({ padding: 0.3 });

  function element(tag, text, parent) {
    var node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (parent) parent.appendChild(node);
    return node;
  }
  // coordinates arrive as whole millionths of a degree, each after the first as the step from the one before
  function line(steps) {
    var x = 0, y = 0, points = [];
    for (var i = 0; i < steps.length; i += 2) { x += steps[i]; y += steps[i + 1]; points.push([y / 1e6, x / 1e6]); }
    return points;
  }

  map.options.zoomSnap = 0.25;
  map.attributionControl.setPosition("bottomleft").setPrefix(false).addAttribution(W.osm + " · " + W.made);
  L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
  if (data.relief) layers.relief = L.imageOverlay(data.relief.png, data.relief.bounds, { interactive: false });
  layers.streets = L.layerGroup(data.streets.map(function (group) {
    return L.polyline(group.lines.map(line),
      { renderer: canvas, color: group.colour, weight: group.weight, interactive: false });
  }));
  // plots of one class are one shape; which plot is clicked is looked up, so that thousands stay quick
  var P = data.plots, rings = P ? P.rings.map(line) : [], frames = rings.map(function (ring) { return L.latLngBounds(ring); });
  var holes = {};
  if (P) Object.keys(P.holes).forEach(function (i) { holes[i] = P.holes[i].map(line); });
  if (P) layers.homesteads = L.layerGroup();
  function colour_plots(at) {
    layers.homesteads.clearLayers();
    P.by[at].classes.forEach(function (c, k) {
      var own = [];
      rings.forEach(function (ring, i) { if (P.by[at].of[P.owner[i]] === k) own.push([ring].concat(holes[i] || [])); });
      L.polygon(own,
        { renderer: canvas, color: "#555", weight: 0.5, fillColor: c.colour, fillOpacity: 0.9, interactive: false }).addTo(layers.homesteads);
    });
  }
  function inside(ring, at) {
    for (var i = 0, j = ring.length - 1, hit = false; i < ring.length; j = i++) {
      if ((ring[i][0] > at.lat) !== (ring[j][0] > at.lat) &&
          at.lng < (ring[j][1] - ring[i][1]) * (at.lat - ring[i][0]) / (ring[j][0] - ring[i][0]) + ring[i][1]) hit = !hit;
    }
    return hit;
  }
  if (data.joins.length) layers.joins = L.layerGroup([L.polyline(data.joins.map(line),
    { renderer: canvas, color: "#7b1fa2", weight: 1.2, interactive: false })]);
  layers.ways = L.layerGroup();
  layers.facilities = L.layerGroup();
  // by kind of place: settlements, scattered households, hosts
  var KINDS = ["places", "households", "hosts"];
  KINDS.forEach(function (name, kind) {
    if (kind === 0 || data.places.some(function (p) { return p.kind === kind; })) layers[name] = L.layerGroup();
  });
  // the search runs over Unicode-folded names, so that width and case do not matter
  var fold = function (s) { return s.normalize("NFKC").toLowerCase(); };

  function radius(place) {
    if (place.kind === 1) return 2.5;
    return place.people === null ? 5 : 4 + Math.min(9, Math.sqrt(place.people) / 12);
  }
  var marks = data.places.map(function (place, i) {
    var mark = L.circleMarker([place.at[1], place.at[0]],
      { renderer: canvas, radius: radius(place), color: place.kind === 2 ? "#fff" : "#222",
        weight: place.kind === 1 ? 0.5 : 1, fillOpacity: 0.95 });
    mark.on("click", function (event) { L.DomEvent.stopPropagation(event); show(i); });
    mark.bindTooltip(element("span", place.name), { direction: "top" });
    return mark.addTo(layers[KINDS[place.kind]]);
  });

  var side = element("div", undefined, document.body); side.id = "side";
  element("h1", W.title, side);
  element("p", W.stamp, side).className = "stamp";
  var box = element("section", undefined, side);
  var choose = element("select", undefined, box); choose.id = "choose";
  function group(title, entries, prefix) {
    if (!entries.length) return;
    var g = element("optgroup", undefined, choose); g.label = title;
    entries.forEach(function (entry, i) {
      if (entry.hidden) return;
      element("option", entry.name + (entry.lack ? " · " + W.gap + " " + entry.lack : ""), g).value = prefix + i;
    });
  }
  group(W.by_list, data.lists, "l");
  group(W.by_theme, data.themes, "t");
  group(W.by_category, data.categories, "c");
  var find = element("input", undefined, box); find.type = "search"; find.placeholder = W.search; find.setAttribute("list", "names");
  var names = element("datalist", undefined, box); names.id = "names";
  data.places.forEach(function (place) { element("option", undefined, names).value = place.name; });
  find.addEventListener("change", function () {
    var hit = data.places.findIndex(function (p) { return fold(p.name).indexOf(fold(find.value)) >= 0; });
    if (hit < 0) { detail.hidden = true; marks.forEach(function (mark) { mark.setStyle({ weight: 1 }); }); }
    if (find.value && hit >= 0) { map.setView(marks[hit].getLatLng(), 14); show(hit); }
  });
  var legend = element("section", undefined, side); legend.id = "legend";
  var detail = element("section", undefined, side); detail.id = "place"; detail.hidden = true;
  var switches = element("section", undefined, side);
  ["places", "households", "hosts", "facilities", "ways", "joins", "homesteads", "streets", "relief"].forEach(function (name) {
    if (!layers[name]) return;
    var label = element("label", undefined, switches), tick = element("input", undefined, label);
    tick.type = "checkbox"; tick.checked = name !== "hosts" && name !== "joins"; tick.id = "show-" + name;
    label.appendChild(document.createTextNode(" " + W[name]));
    tick.addEventListener("change", function () {
      if (tick.checked) draw(name); else map.removeLayer(layers[name]);
      if (KINDS.indexOf(name) >= 0) paint();
    });
  });
  // the legend counts what is on the map
  function counted(place) { return map.hasLayer(layers[KINDS[place.kind]]); }
  function draw(name) {
    layers[name].addTo(map);
    if (layers.relief) layers.relief.bringToBack();
    // one canvas draws in the order things were added; points stay on top of lines and areas
    ["facilities", "households", "hosts", "places"].forEach(function (n) {
      if (layers[n] && map.hasLayer(layers[n])) layers[n].eachLayer(function (mark) { mark.bringToFront(); });
    });
  }
  if (P) {
    var label = element("label", W.plots_by + " ", switches), by = element("select", undefined, label), classes = element("div", undefined, switches);
    by.id = "plots-by";
    P.by.forEach(function (b, k) { element("option", b.name, by).value = k; });
    var legend_plots = function () {
      classes.textContent = "";
      P.by[by.value].classes.forEach(function (c) {
        var row = element("div", undefined, classes); row.className = "note";
        var swatch = element("span", "■ ", row); swatch.style.color = c.colour; swatch.style.webkitTextStroke = "0.5px #555";
        row.appendChild(document.createTextNode(c.name + "：" + c.n));
      });
      colour_plots(+by.value);
    };
    by.addEventListener("change", function () { legend_plots(); if (map.hasLayer(layers.homesteads)) draw("homesteads"); });
    legend_plots();
    map.on("click", function (event) {
      if (!map.hasLayer(layers.homesteads)) return;
      var i = frames.findIndex(function (frame, k) { return frame.contains(event.latlng) && inside(rings[k], event.latlng) &&
        !(holes[k] || []).some(function (hole) { return inside(hole, event.latlng); }); });
      if (i >= 0) show_plot(P.owner[i]);
    });
  }
  var foot = element("section", undefined, side); foot.className = "note";
  [W.speeds, W.deciding, W.default_mark, W.projected].concat(data.notes).forEach(function (t) { element("div", t, foot); });

  function entry(colour, text, count, square) {
    var row = element("div", undefined, legend), dot = element("i", undefined, row);
    dot.style.background = colour; if (square) dot.className = "sq";
    element("span", text, row); element("b", String(count), row);
  }
  function paint() {
    var kind = choose.value[0], at = +choose.value.slice(1), counts = {};
    legend.textContent = ""; layers.facilities.clearLayers(); layers.ways.clearLayers();
    if (kind === "l") {
      var tally = [0, 0, 0, 0];
      data.places.forEach(function (place, i) {
        // a list of which less than half can be judged says nothing, however much of the rest is met
        var c = place.circles[at], share = !c || !c[1] || 2 * c[1] < c[3] ? 3 : c[0] === c[1] ? 0 : 2 * c[0] >= c[1] ? 1 : 2;
        if (counted(place)) tally[share] += 1;
        marks[i].setStyle({ fillColor: SHARE[share] });
      });
      [W.all_met, W.most_met, W.few_met, W.none_judged].forEach(function (t, i) { entry(SHARE[i], t, tally[i]); });
      element("div", W.list_note, legend).className = "note";
      return;
    }
    if (kind === "t") {
      var theme = data.themes[at], sums = theme.classes.map(function () { return 0; });
      data.places.forEach(function (place, i) {
        if (counted(place)) sums[theme.of[i]] += 1;
        marks[i].setStyle({ fillColor: theme.classes[theme.of[i]].colour });
      });
      theme.classes.forEach(function (c, i) { if (sums[i]) entry(c.colour, c.name, sums[i]); });
      return;
    }
    data.places.forEach(function (place, i) {
      var row = place.rows[at], status = S[row[0]];
      if (counted(place)) counts[status] = (counts[status] || 0) + 1;
      marks[i].setStyle({ fillColor: COLOUR[status] });
      if (row[4] >= 0 && place.kind === 0) {
        var to = data.facilities[row[4]];
        L.polyline([[place.at[1], place.at[0]], [to.at[1], to.at[0]]],
          { renderer: canvas, color: COLOUR[status], weight: 1, dashArray: "3 4", interactive: false }).addTo(layers.ways);
      }
    });
    S.forEach(function (status) { if (counts[status]) entry(COLOUR[status], data.status_names[status], counts[status]); });
    var shown = 0;
    data.facilities.forEach(function (facility) {
      if (facility.of.indexOf(at) < 0) return;
      shown += 1;
      L.circleMarker([facility.at[1], facility.at[0]], { renderer: canvas, radius: 3, color: "#fff", weight: 1, fillColor: "#1f3b8c", fillOpacity: 1 })
        .bindTooltip(element("span", facility.name || facility.id)).addTo(layers.facilities);
    });
    entry("#1f3b8c", W.facilities + " · " + data.categories[at].name, shown);
  }
  choose.addEventListener("change", function () { paint(); });

  function show_plot(i) {
    var told = P.told[i];
    detail.textContent = ""; detail.hidden = false;
    marks.forEach(function (mark) { mark.setStyle({ weight: 1 }); });
    var close = element("button", W.close, detail); close.type = "button";
    close.addEventListener("click", function () { detail.hidden = true; });
    element("h2", told[0] + " · " + told[3], detail);
    element("div", W.plot_area + " " + number(told[1], 1) + " ㎡ · " + number(told[1] === null ? null : told[1] * 0.0015, 3) + " " + W.mu + " · " +
      W.plot_slope + " " + told[2] + (told[5] ? " · " + told[5] : ""), detail);
    told[4].split(/[；;] ?/).forEach(function (reason) { if (reason) element("div", reason, detail).className = "note"; });
  }
  function number(x, digits) { return x === null ? "" : x.toFixed(digits); }
  function show(i) {
    var place = data.places[i];
    detail.textContent = ""; detail.hidden = false;
    marks.forEach(function (mark, k) { mark.setStyle({ weight: k === i ? 4 : 1 }); });
    var close = element("button", W.close, detail); close.type = "button";
    close.addEventListener("click", function () { detail.hidden = true; marks[i].setStyle({ weight: 1 }); });
    element("h2", place.name, detail);
    element("div", place.about + " · " + W.people + " " + (place.people === null ? W.unknown_people : Math.round(place.people)), detail);
    data.lists.forEach(function (list, k) {
      var c = place.circles[k];
      if (!c) return;
      element("div", list.name + "：" + W.met_of.replace("{met}", c[0]).replace("{total}", c[1]).replace("{unknown}", c[2]).replace("{unruled}", c[6]), detail).className = "note";
      [[W.missing, c[4]], [W.far, c[5]]].forEach(function (told) {
        var names = told[1].map(function (k) { return data.categories[k].name; });
        if (names.length) element("div", "　" + told[0] + "：" + names.join("、"), detail).className = "note";
      });
    });
    data.themes.forEach(function (theme) {
      if (theme.told[i]) element("div", theme.name + "：" + theme.classes[theme.of[i]].name + "（" + theme.told[i] + "）", detail).className = "note";
    });
    var table = element("table", undefined, detail), head = element("tr", undefined, table);
    [W.category, W.status, W.time + " / " + W.limit].forEach(function (t) { element("th", t, head); });
    data.categories.forEach(function (category, k) {
      var row = place.rows[k], status = S[row[0]];
      if (status === "no_data") return;
      var tr = element("tr", undefined, table), td = element("td", category.name, tr);
      if (row[4] >= 0) {
        var to = data.facilities[row[4]];
        element("div", (row[6] ? W.modes[row[6]] + " · " : "") + (to.name || to.id) + " · " + W.distance + " " + number(row[3], 0) + " m", td).className = "note";
      } else if (row[7] !== null) element("div", W.straight + " " + number(row[7], 0) + " m", td).className = "note";
      var cell = element("td", data.status_names[status], tr); cell.style.color = status === "served" ? "#00634a" : status === "no_standard" ? "#1b5e86" : "#8a3b00";
      var limit = row[2] === null ? "—" : row[2] + (row[5] ? "*" : "");
      element("td", (row[1] === null ? "—" : number(row[1], 1)) + " / " + limit, tr).className = "n";
    });
  }
  ["relief", "streets", "homesteads", "ways", "facilities", "households", "places"].forEach(function (name) {
    if (layers[name]) draw(name);
  });
  map.fitBounds(data.bounds, { paddingTopLeft: [20, 20], paddingBottomRight: [360, 20] });
  choose.value = data.first; paint();
  document.body.setAttribute("data-ready", "1");
})
