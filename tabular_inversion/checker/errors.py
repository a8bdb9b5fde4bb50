"""What a certificate that does not hold raises."""


class CertificateError(ValueError):
    """What does not hold, in one line."""


def need(holds: object, what: str) -> None:
    """Raise `CertificateError` unless something holds."""
    if not holds:
        raise CertificateError(what)
