"""Why an operation is not done; the request then stays as it was."""


class Cannot(Exception):
    """`reason`: a word, for counting; `said`: a sentence, for people. The words are

    unreadable   the body is no JSON object, or repeats a key where it is edited
    signed       the client has signed the request, or a provider the turn that would change
    elsewhere    this request has no such place: another format, another version of it
    refused      the provider would refuse the result
    """

    def __init__(self, reason: str, said: str) -> None:
        super().__init__(said)
        self.reason = reason
        self.said = said
