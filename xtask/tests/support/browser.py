"""Opens a run's page in headless Chromium and prints what it finds there as one JSON object, for tests.

The picture in README is made with it, by the Python that `cargo xtask test` provides for this, from a
run of awkward-cpp; tools/pins.toml has its version:

  cargo xtask release-wheels awkward_cpp-57.tar.gz --image lab --python 3.10,3.12,3.13
  ~/.cache/warmwheel/tools/browser-*/bin/python xtask/tests/support/browser.py \\
    target/warmwheel/latest/report.html --screenshot docs/report.png --width 1200 --height 900
"""

import argparse
import contextlib
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

# A browser that hangs must not keep a test waiting for ever.
LIMIT_SECONDS = 180
DESKTOP = (1280, 900)
PHONE = (390, 844)
LOOKS = {
    "light": (DESKTOP, "light"),
    "dark": (DESKTOP, "dark"),
    "phone": (PHONE, "light"),
}
FLAGS = [
    "--headless",
    # Tests run as root in containers.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    # Nothing of the browser's own goes over the network.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# More stops than any page has that is shown here.
MOST_STOPS = 100

PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))"
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"
WORDS = """(() => {
  const texts = (selector) => [...document.querySelectorAll(selector)].map((it) => it.textContent);
  const tags = {};
  for (const it of document.querySelectorAll('*')) tags[it.localName] = (tags[it.localName] || 0) + 1;
  return {
    title: document.title,
    verdict: texts('h1').join(),
    headings: texts('main h2'),
    timeline: texts('.timeline .labels > span'),
    bars: document.querySelectorAll('.timeline .bar').length,
    text: texts('body > :not(script)').join(' '),
    tags,
    hacked: 'hacked' in window,
  };
})()"""
TABLE = """(() => {
  const cells = (row) => [...row.cells].map((cell) => cell.textContent);
  const [head, ...rows] = [...document.querySelectorAll('#files tr')];
  const sorts = [...document.querySelectorAll('#files thead th')].map((it) => it.getAttribute('aria-sort'));
  return head ? { head: cells(head), sorts, rows: rows.map(cells) } : null;
})()"""
STOP = """(() => {
  const it = document.activeElement;
  if (!it || it === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(it);
  const label = it.labels && it.labels[0] ? it.labels[0].firstChild.textContent : it.textContent;
  const head = it.closest('th');
  return {
    tag: it.localName,
    name: it.getAttribute('aria-label') || label,
    visible: outlineStyle !== 'none' && parseFloat(outlineWidth) > 0,
    sort: head ? head.getAttribute('aria-sort') : null,
  };
})()"""
# Opens what is closed, and leaves of a long table its two ends: a row is like the others, and axe-core
# would take half a minute for all.
PREPARED = """(() => {
  for (const it of document.querySelectorAll('details')) it.open = true;
  for (const it of document.querySelectorAll('tr:nth-child(n+20):nth-last-child(n+20)')) it.remove();
})()"""
AXE = """axe.run(document, {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  resultTypes: ['violations'],
  preload: false,
}).then(({ violations }) => violations.map(({ id, impact, nodes }) =>
  ({ rule: id, impact, targets: nodes.slice(0, 5).map((it) => `${it.target.join(' ')}: ${it.failureSummary}`) })))"""
WIDTH = "document.documentElement.scrollWidth"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"


def program(name):
    """The path of a program that has to be in PATH."""
    path = shutil.which(name)
    if path is None:
        sys.exit(f"{name} is not in PATH: run `cargo xtask test --setup`")
    return path


@contextlib.contextmanager
def browser(home):
    """A browser that has never been used, with everything of its own in `home`."""
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for flag in [*FLAGS, f"--user-data-dir={home}/profile"]:
        options.add_argument(flag)
    # What is said to the driver stays on this machine.
    os.environ["no_proxy"] = "*"
    # With both paths given, selenium does not look for others to download.
    service = Service(program("chromedriver"), env={**os.environ, "HOME": home})
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


def evaluate(driver, expression):
    """The value of an expression in the page, whatever the page's own policy forbids."""
    asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
    answer = driver.execute_cdp_cmd("Runtime.evaluate", asked)
    if "exceptionDetails" in answer:
        raise RuntimeError(json.dumps(answer["exceptionDetails"]))
    return answer["result"].get("value")


def look(driver, size, scheme):
    """Makes the screen as large as `size`, in the light or the dark scheme."""
    width, height = size
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


def press(driver, key):
    """Presses a key, wherever the focus is."""
    ActionChains(driver).send_keys(key).perform()


def keyboard(driver):
    """Where Tab leads from the top of the page, and what Enter does on the first button that sorts."""
    stops, entered = [], None
    while len(stops) < MOST_STOPS:
        press(driver, Keys.TAB)
        stop = evaluate(driver, STOP)
        if stop is None:
            break
        stops.append(stop)
        if stop["sort"] and entered is None:
            press(driver, Keys.ENTER)
            entered = {"before": stop, "after": evaluate(driver, STOP)}
    return {"stops": stops, "entered": entered}


def sorting(driver):
    """The columns of files when their heads have been clicked, twice each."""
    buttons = "#files thead button"
    clicks = []
    for place in range(len(driver.find_elements(By.CSS_SELECTOR, buttons))):
        for _ in range(2):
            driver.find_elements(By.CSS_SELECTOR, buttons)[place].click()
            table = evaluate(driver, TABLE)
            column = [row[place] for row in table["rows"]]
            clicks.append({"place": place, "sorts": table["sorts"], "column": column})
    return clicks


def filtering(driver):
    """The names that are left when the end of one has been typed."""
    names = [row[0] for row in evaluate(driver, TABLE)["rows"]]
    typed = names[len(names) // 2].rpartition("/")[2][-12:]
    box = driver.find_element(By.ID, "filter")
    box.send_keys(typed)
    left = [row[0] for row in evaluate(driver, TABLE)["rows"]]
    box.send_keys(Keys.BACKSPACE * len(typed))
    return {"typed": typed, "names": left}


def choosing(driver, name):
    """What the table comes to with each option of a list."""
    choices = []
    for found in driver.find_elements(By.ID, name):
        choice = Select(found)
        for place, option in enumerate(choice.options):
            choice.select_by_index(place)
            table = evaluate(driver, TABLE)
            left = {"head": table["head"], "rows": len(table["rows"])}
            choices.append({"option": option.text, **left})
        choice.select_by_index(0)
    return choices


def said(driver):
    """What was written to the console, and not only in passing."""
    levels = ("WARNING", "SEVERE")
    return [it["message"] for it in driver.get_log("browser") if it["level"] in levels]


def requests(driver):
    """The addresses of everything that was asked for, the page itself included."""
    addresses = []
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            addresses.append(message["params"]["request"]["url"])
        elif message["method"] == "Network.webSocketCreated":
            addresses.append(message["params"]["url"])
    return [address for address in addresses if not address.startswith("data:")]


def looks(driver):
    """What axe-core complains of in each look, how wide the page is there, and its background."""
    package = importlib.util.find_spec("axe_playwright_python")
    evaluate(driver, pathlib.Path(package.origin).with_name("axe.min.js").read_text("utf-8"))
    evaluate(driver, PREPARED)
    found = {}
    for name, (size, scheme) in LOOKS.items():
        look(driver, size, scheme)
        found[name] = {
            "violations": evaluate(driver, AXE),
            "width": evaluate(driver, WIDTH),
            "background": evaluate(driver, BACKGROUND),
        }
    return found


def inspect(driver, address):
    """Everything that is found on a page."""
    look(driver, DESKTOP, "light")
    # The browser's own first page has asked for things, too.
    requests(driver)
    driver.get(address)
    found = {"painted_ms": evaluate(driver, PAINTED), "loaded_ms": evaluate(driver, LOADED)}
    found |= evaluate(driver, WORDS)
    found["table"] = evaluate(driver, TABLE)
    # The focus first: a click would have Tab start from there.
    found["keyboard"] = keyboard(driver)
    if found["table"]:
        found["sorting"] = sorting(driver)
        found["filtering"] = filtering(driver)
        found["results"] = choosing(driver, "result")
        found["domains"] = choosing(driver, "domain")
    found["hacked"] = found["hacked"] or evaluate(driver, "'hacked' in window")
    # axe-core writes to the console and asks for things of its own.
    found["console"] = said(driver)
    found["requests"] = requests(driver)
    found["looks"] = looks(driver)
    return found


def too_long(*_):
    raise TimeoutError(f"the browser was not done after {LIMIT_SECONDS} s")


def main():
    """Finds out, or takes a picture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--screenshot", metavar="FILE", help="a picture in place of the findings")
    parser.add_argument("--width", type=int, default=DESKTOP[0])
    parser.add_argument("--height", type=int, default=DESKTOP[1])
    parser.add_argument("--dark", action="store_true")
    flags = parser.parse_args()
    address = flags.page.resolve(strict=True).as_uri()
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LIMIT_SECONDS)
    with tempfile.TemporaryDirectory(prefix="warmwheel-browser-", ignore_cleanup_errors=True) as home:
        with browser(home) as driver:
            if flags.screenshot:
                look(driver, (flags.width, flags.height), "dark" if flags.dark else "light")
                driver.get(address)
                driver.get_screenshot_as_file(flags.screenshot)
            else:
                print(json.dumps(inspect(driver, address)))


if __name__ == "__main__":
    main()
