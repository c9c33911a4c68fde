"""The network of the settings, and a cable that is pulled and plugged in again."""
import time

from conftest import ROOT, box_settings
from network import HOST_6, IPV6_ALONE
from status import expect_on_the_stick, wait_for_records

MATCH = ROOT / "src/replay/matches/2025-04-16_DC-RR.match"


def test_own_addresses_and_a_cable_that_comes_and_goes(replay, make_card, make_stick, make_guest):
    api = replay("--step", MATCH)
    settings = box_settings(api, None, POLL_INTERVAL="1s", HOSTNAME="pavilion", NET_ADDRESS="10.0.2.77/24,fd00:77::7/64",
                            NET_GATEWAY="10.0.2.2", NET_DNS="10.0.2.3")
    card, stick = make_card(settings, api), make_stick()
    guest = make_guest(card, stick)
    guest.wait("net.up: .*10.0.2.77/24")
    wait_for_records(guest)
    assert guest.sh("hostname").strip() == "pavilion"
    assert "fd00:77::7/64" in guest.sh("ip -6 addr show scope global")
    assert "default via 10.0.2.2" in guest.sh("ip route")
    assert "nameserver 10.0.2.3" in guest.sh("cat /etc/resolv.conf")
    assert not guest.sh("pidof udhcpc; true").strip()

    mark = guest.mark()
    guest.network(False)
    guest.wait("net.down: ", 60, since=mark)
    guest.wait_until(lambda: "no network" in guest.sh("cat /run/scorebox/status.txt"), 60, "the screen to say so")
    expect_on_the_stick(guest, stick, "no network")
    mark = guest.mark()
    guest.network(True)
    guest.wait("net.up: .*10.0.2.77/24", 60, since=mark)
    guest.wait("poll.changed", since=mark)
    assert guest.count("board.service: ") == 0, "the service was started again"


def test_dhcp_again_after_the_cable_was_out(replay, make_card, make_stick, make_guest):
    api = replay("--step", MATCH)
    guest = make_guest(make_card(box_settings(api, None, POLL_INTERVAL="1s"), api), make_stick())
    wait_for_records(guest)
    mark = guest.mark()
    guest.network(False)
    guest.wait("net.down: ", 60, since=mark)
    mark = guest.mark()
    guest.network(True)
    guest.wait("net.up: .*10.0.2.15/24", 60, since=mark)
    guest.wait("poll.changed", since=mark)
    assert len(guest.sh("pidof udhcpc").split()) == 1


def test_a_network_of_ipv6_alone(replay, make_card, make_stick, make_guest):
    api = replay("--step", MATCH, ipv6=True)
    card = make_card(box_settings(api, None, POLL_INTERVAL="1s", NTP=HOST_6, CLOCK_WAIT="5s"), api)
    card.kargs(f"scorebox.time={int(time.time())}")     # no time server of the tests is at that address
    guest = make_guest(card, make_stick(), network=IPV6_ALONE)
    guest.wait(r"net.up: eth0 fd00:5::[0-9a-f:]+/64")
    wait_for_records(guest)
    assert "10.0." not in guest.sh("ip addr")


def test_an_adapter_that_falls_off_the_bus_for_a_moment(replay, make_card, make_stick, make_guest):
    api = replay("--step", MATCH)
    guest = make_guest(make_card(box_settings(api, None, POLL_INTERVAL="1s"), api), make_stick())
    wait_for_records(guest)
    mark, number = guest.mark(), guest.sh("cat /sys/class/net/eth0/ifindex")
    guest.sh("cd /sys/bus/virtio/drivers/virtio_net && d=$(ls -d virtio*) && echo $d >unbind && echo $d >bind")
    guest.wait_until(lambda: "default via 10.0.2.2" in guest.sh("ip route"), 60, "the new adapter to have a way out")
    assert guest.sh("cat /sys/class/net/eth0/ifindex") != number
    guest.wait("poll.changed", since=mark)
    assert len(guest.sh("pidof udhcpc").split()) == 1


def test_a_router_that_names_a_time_server_that_is_none(replay, make_card, make_stick, make_guest):
    api = replay("--step", MATCH)
    guest = make_guest(make_card(box_settings(api, None, NTP=None, CLOCK_WAIT="5s"), api), make_stick())
    guest.wait("net.up: ")
    guest.wait_until(lambda: guest.sh("pidof ntpd; true").strip(), 60, "a time server to be asked")
    mark = guest.mark()
    guest.sh("cd /run/scorebox && echo 192.0.2.1 >dhcp-ntp.eth0 && : >dhcp-ntp.eth1 && killall ntpd")
    guest.wait(r"no time server answers \(192.0.2.1\)", 120, since=mark)
    guest.wait(r"no time server answers \(pool.ntp.org\)", 120, since=mark)
    mark = guest.mark()
    guest.wait(r"no time server answers \(192.0.2.1\)", 120, since=mark)
