"""Lines that look like gateways and are not: firms, machines, travellers, crowds."""

from simbox.simulation.group import Kind
from simbox.simulation.lookalikes.agent import AGENTS, SECOND_PHONES, TRADERS
from simbox.simulation.lookalikes.broadcast import BROADCASTS, REMINDERS
from simbox.simulation.lookalikes.call_centre import CALL_CENTRE, HOME_AGENT
from simbox.simulation.lookalikes.courier import COURIER
from simbox.simulation.lookalikes.crowd import EVENT_CROWD
from simbox.simulation.lookalikes.machine import MACHINE
from simbox.simulation.lookalikes.migrant import MIGRANT
from simbox.simulation.lookalikes.newcomer import NEWCOMER
from simbox.simulation.lookalikes.office_gateway import OFFICE_GATEWAY
from simbox.simulation.lookalikes.payphone import PAYPHONES, VILLAGE_PHONES
from simbox.simulation.lookalikes.probe import PROBE
from simbox.simulation.lookalikes.repair_shop import REPAIR_SHOP
from simbox.simulation.lookalikes.taxi import TAXI
from simbox.simulation.lookalikes.tourist import TOURIST

LOOKALIKES: tuple[Kind, ...] = (
    CALL_CENTRE,
    HOME_AGENT,
    TAXI,
    COURIER,
    OFFICE_GATEWAY,
    MACHINE,
    PROBE,
    BROADCASTS,
    REMINDERS,
    PAYPHONES,
    VILLAGE_PHONES,
    REPAIR_SHOP,
    TOURIST,
    EVENT_CROWD,
    AGENTS,
    TRADERS,
    SECOND_PHONES,
    MIGRANT,
    NEWCOMER,
)
