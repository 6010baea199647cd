"""A subscriber in a process of its own, which writes the `event.id` of each message to a file: brokers that keep nothing,
or not for certain, are read in this way. Run as
`python -P subscriber.py mqtt|hpfeeds PORT FILE`, as files beside it have the names of packages."""

import asyncio
import json
import sys


def mqtt(port, keep):
    import paho.mqtt.client as paho

    client = paho.Client(paho.CallbackAPIVersion.VERSION2, "test", clean_session=False, manual_ack=True)
    client.username_pw_set("test", "t3st")
    client.reconnect_delay_set(1, 1)
    client.on_connect = lambda *_: client.subscribe("plant/#", 1)

    def message(_, __, message):
        if not message.topic.endswith("/status"):
            event = json.loads(message.payload)
            device = event["honeyplant"].get("device", {}).get("name", "site")
            protocol = event.get("network", {}).get("protocol", "site")
            assert message.topic == f"plant/{event['honeyplant']['site']}/{device}/{protocol}"
            keep(message.payload)
        client.ack(message.mid, message.qos)

    client.on_message = message
    client.connect("127.0.0.1", port)
    client.loop_forever()


def hpfeeds(port, keep):
    from hpfeeds.asyncio import ClientSession

    async def listen():
        async with ClientSession("127.0.0.1", port, "test", "t3st") as client:
            client.subscribe("plant.events")
            async for _, _, payload in client:
                keep(payload)

    asyncio.run(listen())


if __name__ == "__main__":
    kind, port, path = sys.argv[1:]
    with open(path, "ab", buffering=0) as file:

        def keep(payload):
            file.write(json.loads(payload)["event"]["id"].encode() + b"\n")

        {"mqtt": mqtt, "hpfeeds": hpfeeds}[kind](int(port), keep)
