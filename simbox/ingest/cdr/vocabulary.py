"""What a source's codes mean: event types, directions, services, answers, party classes, causes.

A profile maps the spellings of its source to the words here, or names one of the built-in maps.
"""

from __future__ import annotations

from simbox.identifiers import NumberClass
from simbox.tables import EVENT_TYPES

IGNORE = "ignore"  # a record that is no call and no text: counted, not rejected

EVENT_TYPE_WORDS = {name: code for code, name in enumerate(EVENT_TYPES)}
DIRECTION_WORDS = {"out": 0, "in": 1}
SERVICE_WORDS = {"call": 0, "sms": 2}
ANSWERED_WORDS = {"no": 0, "yes": 1, "unknown": 2}
CLASS_WORDS = {c.name.lower(): int(c) for c in NumberClass}

#: The canonical columns that are vocabularies, with the words that a map may lead to.
WORDS: dict[str, dict[str, int]] = {
    "event_type": EVENT_TYPE_WORDS,
    "direction": DIRECTION_WORDS,
    "service": SERVICE_WORDS,
    "answered": ANSWERED_WORDS,
    "other_class": CLASS_WORDS,
}

_TS32298_RECORD_TYPE = {
    "0": "MOC",
    "1": "MTC",
    "6": "SMS_MO",
    "7": "SMS_MT",
    # roaming, gateway, transit, SMS gateway, supplementary service, location and other records
    **{str(code): IGNORE for code in (2, 3, 4, 5, *range(8, 23))},
}

# TS 29.002 clause 17.7.9: 11 telephony, 12 emergency, 21 SMS MT, 22 SMS MO, 61/62 fax
_TELESERVICE = {
    "11": "call",
    "12": "call",
    "21": "sms",
    "22": "sms",
    **{str(code): IGNORE for code in (23, 61, 62, 63, 64)},
}

_EVENT_TYPE = {
    **{name: name for name in EVENT_TYPES},
    "SMS-MO": "SMS_MO",
    "SMS-MT": "SMS_MT",
    "SMSMO": "SMS_MO",
    "SMSMT": "SMS_MT",
    "SMS MO": "SMS_MO",
    "SMS MT": "SMS_MT",
    "MO_SMS": "SMS_MO",
    "MT_SMS": "SMS_MT",
    "MO-SMS": "SMS_MO",
    "MT-SMS": "SMS_MT",
    "MO_CALL": "MOC",
    "MT_CALL": "MTC",
    "CALL_OUT": "MOC",
    "CALL_IN": "MTC",
    "SMS_OUT": "SMS_MO",
    "SMS_IN": "SMS_MT",
    "DATA": IGNORE,
    "GPRS": IGNORE,
    "LU": IGNORE,
    "LOCATION_UPDATE": IGNORE,
    "USSD": IGNORE,
    "MMS": IGNORE,
}

_OUT = (
    "out outgoing outbound o mo moc orig originating originated dialed dialled dialing made sent "
    "emis émis sortant sortante saliente salida emitida 主叫 呼出 拨出 主叫通话 发送 исходящий "
    "saida saída abgehend ausgehend uscente 去电"
)
_IN = (
    "in incoming inbound i mt mtc term terminating terminated received recu reçu entrant entrante "
    "recibida entrada 被叫 呼入 接听 被叫通话 接收 входящий eingehend ankommend 来电 missed"
)
_DIRECTION = dict.fromkeys(_OUT.split(), "out") | dict.fromkeys(_IN.split(), "in")

_CALL = "call calls voice voix voz speech tel telephony phone appel llamada 语音 通话 电话 voip v c"
_SMS = "sms text texts message texto mensaje msg 短信 短消息 s"
_NOT_OURS = "data gprs internet web mms ussd lu location location_update volte_data 流量 上网 彩信"
_SERVICE = (
    dict.fromkeys(_CALL.split(), "call")
    | dict.fromkeys(_SMS.split(), "sms")
    | dict.fromkeys(_NOT_OURS.split(), IGNORE)
)

_YES = (
    "yes y true t 1 answered answer success successful completed complete connected ok normal "
    "normal_clearing abouti aboutie reussi réussi contestada completada 接通 成功 已接"
)
_NO = (
    "no n false f 0 unanswered failed failure busy missed cancelled canceled rejected congestion "
    "chanunavail echoue échoué echouee manque fallida ocupado perdida 未接 失败 未接通"
)
_ANSWERED = (
    dict.fromkeys(_YES.split(), "yes")
    | dict.fromkeys(_NO.split(), "no")
    | {"no answer": "no", "no_answer": "no", "noanswer": "no", "not answered": "no"}
)

_PARTY_CLASS = {
    "on-net": "onnet",
    "onnet": "onnet",
    "on_net": "onnet",
    "off-net": "offnet",
    "offnet": "offnet",
    "off_net": "offnet",
    "international": "international",
    "intl": "international",
    "national": "domestic",
    "domestic": "domestic",
    "local": "domestic",
    "fixed": "fixed",
    "pstn": "fixed",
    "landline": "fixed",
    "short": "short",
    "ota-short": "short",
    "shortcode": "short",
    "short code": "short",
    "service": "service",
}

#: Maps that a profile may name instead of spelling them out.
BUILT_IN: dict[str, dict[str, str]] = {
    "event_type": _EVENT_TYPE,
    "ts32298_record_type": _TS32298_RECORD_TYPE,
    "teleservice": _TELESERVICE,
    "direction": _DIRECTION,
    "service": _SERVICE,
    "answered": _ANSWERED,
    "party_class": _PARTY_CLASS,
}

# ITU-T Q.850 for the names that Asterisk and FreeSWITCH print
CAUSE_NAMES = {
    "UNALLOCATED_NUMBER": 1,
    "NO_ROUTE_TRANSIT_NET": 2,
    "NO_ROUTE_DESTINATION": 3,
    "NORMAL_CLEARING": 16,
    "ANSWERED": 16,
    "USER_BUSY": 17,
    "BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "NO ANSWER": 19,
    "SUBSCRIBER_ABSENT": 20,
    "CALL_REJECTED": 21,
    "NUMBER_CHANGED": 22,
    "DESTINATION_OUT_OF_ORDER": 27,
    "INVALID_NUMBER_FORMAT": 28,
    "FACILITY_REJECTED": 29,
    "NORMAL_UNSPECIFIED": 31,
    "NORMAL_CIRCUIT_CONGESTION": 34,
    "CONGESTION": 34,
    "NETWORK_OUT_OF_ORDER": 38,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "FAILED": 41,
    "SWITCH_CONGESTION": 42,
    "REQUESTED_CHAN_UNAVAIL": 44,
    "OUTGOING_CALL_BARRED": 52,
    "INCOMING_CALL_BARRED": 54,
    "BEARERCAPABILITY_NOTAUTH": 57,
    "BEARERCAPABILITY_NOTAVAIL": 58,
    "SERVICE_NOT_IMPLEMENTED": 79,
    "INCOMPATIBLE_DESTINATION": 88,
    "RECOVERY_ON_TIMER_EXPIRE": 102,
    "MANDATORY_IE_MISSING": 96,
    "PROTOCOL_ERROR": 111,
    "INTERWORKING": 127,
    "ORIGINATOR_CANCEL": 16,  # an attempt given up by the caller
    "LOSE_RACE": 26,
    "ALLOTTED_TIMEOUT": 16,
    "MEDIA_TIMEOUT": 16,
}

# RFC 3398 clause 8.2.6.1: SIP status to ISUP cause
SIP_CAUSES = {
    **{str(code): 16 for code in (200, 487)},
    "400": 41, "401": 21, "402": 21, "403": 21, "404": 1, "405": 63, "406": 79, "407": 21,
    "408": 102, "410": 22, "413": 127, "414": 127, "415": 79, "416": 127, "420": 127, "421": 127,
    "423": 127, "480": 18, "481": 41, "482": 25, "483": 25, "484": 28, "485": 1, "486": 17,
    "488": 31, "500": 41, "501": 79, "502": 38, "503": 41, "504": 102, "505": 127, "513": 127,
    "600": 17, "603": 21, "604": 1, "606": 31,
}  # fmt: skip
