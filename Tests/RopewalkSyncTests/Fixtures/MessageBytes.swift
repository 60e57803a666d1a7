/// The bytes of `MessageFixtures` in version 1 of the protocol, as the first release sent them, in
/// hexadecimal digits. Never changed: clients and relays of that release are still out there.
enum MessageBytes {
  static let client = [
    "hello": "0152570103050107746f2e6b652e6e06746573742f31",
    "token": "0207616e6f74686572",
    "join": "030b7465616d2f72c3a4756d658080808080200102030405060708090a0b0c0d0e0f10",
    "leave": "04ac02",
    "push": "05ac020702086e6f7465732e6d6408070605040302011032547698badcfe05c3010501020300ff",
    "presence": "06ac0201020908",
    "presence, none": "06ac0200",
    "ping": "07ffffffffffffffffff01",
  ]

  static let relay = [
    "welcome": """
    41010101cdab00000000000003616e6e80d095ffbc318080babbc82e808080028080404080808002008008802032b0ea\
    01e0d403882780808010
    """,
    "welcome for ever": """
    410100000100000000000000000000808080028080404080808002008008802032b0ea01e0d403882780808010
    """,
    "token accepted": "4280d095ffbc31",
    "token accepted for ever": "4200",
    "joined": "430b7465616d2f72c3a4756d65ac02020900",
    "joined anew": "430b7465616d2f72c3a4756d65ac02040901",
    "entries": """
    44ac02080203616e6e80e8a7dd8230086e6f7465732e6d6408070605040302011032547698badcfe05c3010201020000\
    086e6f7465732e6d6408070605040302011032547698badcfe05c30100
    """,
    "caught up": "45ac02090102030405060708090a0b0c0d0e0f10",
    "acknowledged": "46ac0202070a08ac02",
    "refused, covered": "47ac0207010c0205046464",
    "refused, clash": "47ac02070204",
    "refused, overtaken": "47ac020706",
    "refused, forbidden": "47ac020703",
    "refused, too large": "47ac020704",
    "refused, overloaded": "47ac020705f403",
    "presence": "48ac020102cdab00000000000003626f6201010102000000000000000000",
    "role": "49ac0201",
    "error": "4a0064f5030953746f7070696e672e",
    "error of a room": "4a010b7465616d2f72c3a4756d650300034e6f2e",
    "pong": "4b07",
  ]
}
