/* implementation: who we are, in an association (PS3.7 D.3.3.2) and in the meta header of a file
 * that had none (PS3.10 7.1). The UID is of the form of PS3.5 B.2, from a random UUID. */
#ifndef DICOM_IMPLEMENTATION_H
#define DICOM_IMPLEMENTATION_H

#define DICOM_IMPLEMENTATION_UID     "2.25.180311268236270471929041853124763410557"
#define DICOM_IMPLEMENTATION_VERSION "DCMSPOOL"

#endif
